package config

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kurs"
)

// A Problem is one mistake in what kurs was told.
type Problem struct {
	Line    int    // in the file, from 1; 0: the mistake is not in the file
	Column  int    // in characters, from 1
	Where   string // outside of the file: "env: KURS_CURRENCY", "flag --interval"
	Message string // what is wrong and, where it can be told, what was meant; lines end with \n

	excerpt string // the line of the file without passwords, or the text outside of it
	marked  int    // how many characters of it are wrong
}

// A Warning is something that works but is hardly meant.
type Warning struct {
	Text string
	Pace bool // only concerns commands that record
}

// Problems are all mistakes at once, those in the file first and by line. It
// unwraps to a [kurs.Error] with code KURS-CONFIG and exit code 2.
type Problems struct {
	File     string // as people call it
	List     []Problem
	Warnings []Warning
}

// Error is the screen: the file, and of every mistake the line, a mark under
// what is wrong, and the sentence. It has no line break at its end.
func (p *Problems) Error() string {
	inFile := 0
	for _, one := range p.List {
		if one.Line > 0 {
			inFile++
		}
	}
	var b strings.Builder
	what, n := p.File, inFile
	if inFile == 0 {
		what, n = "settings", len(p.List)
	}
	fmt.Fprintf(&b, "%s: %s   [%s]\n", what, count(n, "problem"), codeConfig)
	if inFile > 0 {
		b.WriteByte('\n')
	}
	between := "\n"
	for i, one := range p.List {
		if i == shown {
			fmt.Fprintf(&b, "\nand %d more\n", len(p.List)-shown)
			break
		}
		if one.Line > 0 {
			one.inFile(&b)
			continue
		}
		b.WriteString(between)
		between = ""
		if one.excerpt != "" {
			fmt.Fprintf(&b, "%s = %s: %s\n", one.Where, quote(readable(withoutPassword(one.excerpt))), one.Message)
		} else {
			fmt.Fprintf(&b, "%s: %s\n", one.Where, one.Message)
		}
	}
	for _, w := range p.Warnings {
		b.WriteString(between)
		between = ""
		fmt.Fprintln(&b, w.Text)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

const codeConfig = "KURS-CONFIG"

// Unwrap gives the shape that every error of kurs has.
func (p *Problems) Unwrap() error {
	return &kurs.Error{
		Code:    codeConfig,
		Message: fmt.Sprintf("%s: %s", p.File, count(len(p.List), "problem")),
		Safe:    "nothing was started or changed",
		Try:     "kurs config check; kurs config keys lists every key",
		Exit:    kurs.ExitUsage,
	}
}

// sort puts the mistakes in the file first, by line, and the others behind them
// in the order in which they were found.
func (p *Problems) sort() {
	place := func(one Problem) (int, int) {
		if one.Line == 0 {
			return math.MaxInt, 0
		}
		return one.Line, one.Column
	}
	slices.SortStableFunc(p.List, func(a, b Problem) int {
		al, ac := place(a)
		bl, bc := place(b)
		return cmp.Or(cmp.Compare(al, bl), cmp.Compare(ac, bc))
	})
}

const (
	shown    = 100 // problems on the screen
	widest   = 96  // characters of a line that are shown
	leadWide = 40  // of these before the mark, at most, where the line is longer
)

// inFile prints the position, the line and, under it, the mark with the
// sentence. A sentence of several lines goes on where it began.
func (p Problem) inFile(b *strings.Builder) {
	line := []rune(readable(p.excerpt))
	column := min(p.Column-1, len(line))
	cutAhead := false
	if len(line) > widest && column > leadWide {
		drop := column - leadWide
		line, column, cutAhead = line[drop:], leadWide, true
	}
	mark := max(1, min(p.marked, len(line)-column))
	cutBehind := len(line) > widest
	if cutBehind {
		line = line[:widest]
		mark = max(1, min(mark, widest-column))
	}
	text := string(line)
	if cutAhead {
		text = "…" + string(line[1:])
	}
	if cutBehind {
		text += "…"
	}
	const indent = 8 // "  11:10 "
	place := fmt.Sprintf("%d:%d", p.Line, p.Column)
	fmt.Fprintf(b, "  %-5s %s\n", place, text)
	pad := strings.Repeat(" ", max(indent, len(place)+3)) + blanks(line[:column])
	first, rest, more := strings.Cut(p.Message, "\n")
	fmt.Fprintf(b, "%s%s %s\n", pad, strings.Repeat("~", mark), first)
	for more {
		first, rest, more = strings.Cut(rest, "\n")
		fmt.Fprintf(b, "%s%s %s\n", pad, strings.Repeat(" ", mark), first)
	}
}

// blanks is as wide as the text: tabs stay tabs.
func blanks(text []rune) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(text))
}

var userInfo = regexp.MustCompile(`://[^/@\s"']*@`)

// readable makes text from a file or the environment safe to print: no control
// characters for the terminal, no password of an address.
func readable(text string) string {
	text = userInfo.ReplaceAllString(text, "://***@")
	return strings.Map(func(r rune) rune {
		if r != '\t' && (unicode.IsControl(r) || r == utf8.RuneError) {
			return '?'
		}
		return r
	}, text)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
