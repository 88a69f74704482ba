// Command testsummary reads what `go test -json` writes and tells what a person
// wants to know of it: a line a package, the whole output of what failed, and
// which tests were left out and why, which `go test` hides when all is well.
//
//	go test -json ./... | go run ./internal/testsummary
//
// It must not know the tests: not what they need, nor what may be left out.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		os.Exit(1)
	}
}

// event is a line of `go test -json`; see `go doc test2json` and, for the lines
// of a failed build, `go help buildjson`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// summary counts tests and subtests. Output is kept until it is known whether
// anybody wants to read it.
type summary struct {
	out                     io.Writer
	passed, failed, skipped int
	packages                int
	broken                  bool // a package failed, perhaps before its first test
	output                  map[string][]testOutput
	leftOut                 map[string][]string // by reason
}

type testOutput struct {
	test  string // "" is the package's own
	lines []string
}

var errFailed = errors.New("tests failed")

// run copies what matters from in to out and ends with the line
// "N passed, N failed, N skipped". It returns an error when anything failed, or
// when nothing was tested at all.
func run(in io.Reader, out io.Writer) error {
	s := &summary{out: out, output: map[string][]testOutput{}, leftOut: map[string][]string{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			s.line(line)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
	}
	s.printLeftOut()
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped)
	switch {
	case s.broken || s.failed > 0:
		return errFailed
	case s.packages == 0:
		return errors.New("no package was tested")
	}
	return nil
}

func (s *summary) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
		fmt.Fprint(s.out, line) // the go command's own words
		return
	}
	switch e.Action {
	case "build-output":
		fmt.Fprint(s.out, e.Output)
	case "build-fail":
		s.broken = true
	case "output":
		s.keep(e)
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.endPackage(e)
			return
		}
		s.endTest(e)
	}
}

func (s *summary) keep(e event) {
	outputs := s.output[e.Package]
	i := slices.IndexFunc(outputs, func(o testOutput) bool { return o.test == e.Test })
	if i < 0 {
		i = len(outputs)
		outputs = append(outputs, testOutput{test: e.Test})
	}
	outputs[i].lines = append(outputs[i].lines, e.Output)
	s.output[e.Package] = outputs
}

// take returns what a test printed and forgets it.
func (s *summary) take(pkg, test string) []string {
	outputs := s.output[pkg]
	i := slices.IndexFunc(outputs, func(o testOutput) bool { return o.test == test })
	if i < 0 {
		return nil
	}
	lines := outputs[i].lines
	s.output[pkg] = slices.Delete(outputs, i, i+1)
	return lines
}

func (s *summary) endTest(e event) {
	lines := s.take(e.Package, e.Test)
	switch e.Action {
	case "pass":
		s.passed++
	case "skip":
		s.skipped++
		why := reason(lines)
		s.leftOut[why] = append(s.leftOut[why], e.Package+" "+e.Test)
	case "fail":
		s.failed++
		s.print(lines)
	}
}

// endPackage prints the package's own line. After a failure it also prints what
// the tests wrote that never ended: the one that panicked or took too long.
func (s *summary) endPackage(e event) {
	own := s.take(e.Package, "")
	switch e.Action {
	case "fail":
		s.broken = true
		for _, o := range s.output[e.Package] {
			s.print(o.lines)
		}
		s.print(own)
	case "pass":
		s.packages++
		if len(own) > 0 {
			s.print(own[len(own)-1:])
		}
	}
	delete(s.output, e.Package)
}

func (s *summary) print(lines []string) {
	for _, l := range lines {
		if !strings.HasPrefix(l, "=== ") {
			fmt.Fprint(s.out, l)
		}
	}
}

var place = regexp.MustCompile(`^\s*[\w.-]+\.go:\d+: `)

// reason is what a skipped test said last, without the place where it said it.
func reason(lines []string) string {
	why := "no reason given"
	for _, l := range lines {
		l = strings.TrimSuffix(l, "\n")
		if place.MatchString(l) {
			why = place.ReplaceAllString(l, "")
		}
	}
	return why
}

func (s *summary) printLeftOut() {
	if len(s.leftOut) == 0 {
		return
	}
	fmt.Fprintln(s.out, "left out:")
	reasons := make([]string, 0, len(s.leftOut))
	for why := range s.leftOut {
		reasons = append(reasons, why)
	}
	slices.Sort(reasons)
	for _, why := range reasons {
		fmt.Fprintf(s.out, "  %s\n", why)
		for _, test := range s.leftOut[why] {
			fmt.Fprintf(s.out, "    %s\n", test)
		}
	}
}
