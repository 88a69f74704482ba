package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kurs"
)

// flaw is what is wrong with a value, or with one part of a list.
type flaw struct {
	part    int // -1: the whole value
	message string
}

// set parses a value and puts it where it belongs, if nothing is wrong with it.
func (k Key) set(c *Config, texts []string) []flaw {
	switch to := k.field(c).(type) {
	case *[]string:
		return k.setList(to, texts)
	case *[]FixedRate:
		return setFixed(to, texts)
	case *kurs.Decimal:
		d, err := parseFraction(texts[0])
		if err != nil {
			return []flaw{{-1, err.Error()}}
		}
		if least, most := kurs.MustDecimal(k.Least), kurs.MustDecimal(k.Most); d.Cmp(least) < 0 || d.Cmp(most) > 0 {
			return []flaw{{-1, fmt.Sprintf("must be %s (%s)", k.rangeOrPositive(), k.Path)}}
		}
		*to = d
	case *string:
		if message := k.textProblem(texts[0]); message != "" {
			return []flaw{{-1, message}}
		}
		*to = k.canonicalTexts(texts)[0]
	case *Secret:
		if message := k.textProblem(texts[0]); message != "" {
			return []flaw{{-1, message}}
		}
		*to = Secret(texts[0])
	case *int:
		return setNumber(k, to, texts[0], parseInt)
	case *time.Duration:
		return setNumber(k, to, texts[0], ParseDuration)
	case *int64:
		return setNumber(k, to, texts[0], ParseSize)
	case *bool:
		if texts[0] != "true" && texts[0] != "false" {
			return []flaw{{-1, "must be true or false"}}
		}
		*to = texts[0] == "true"
	}
	return nil
}

// textProblem looks at one text alone.
func (k Key) textProblem(text string) string {
	if len(k.Choices) > 0 && !slices.Contains(k.Choices, text) {
		quoted := make([]string, len(k.Choices))
		for i, c := range k.Choices {
			quoted[i] = quote(c)
		}
		last := len(quoted) - 1
		return "must be " + strings.Join(quoted[:last], ", ") + " or " + quoted[last] + didYouMean(Nearest(text, k.Choices))
	}
	if k.check == nil {
		return ""
	}
	return k.check(text)
}

// setList takes a list whose parts are right and different from each other.
func (k Key) setList(to *[]string, texts []string) []flaw {
	var flaws []flaw
	first := make(map[string]string, len(texts)) // canonical -> as written
	for i, text := range texts {
		if message := k.textProblem(text); message != "" {
			flaws = append(flaws, flaw{i, message})
			continue
		}
		name := k.canonicalTexts([]string{text})[0]
		switch before, twice := first[name]; {
		case twice && before == text:
			flaws = append(flaws, flaw{i, "is listed twice"})
		case twice:
			flaws = append(flaws, flaw{i, "is the same as " + quote(before) + ", listed before"})
		default:
			first[name] = text
		}
	}
	if len(flaws) == 0 {
		*to = k.canonicalTexts(texts)
	}
	return flaws
}

func (k Key) canonicalTexts(texts []string) []string {
	if k.canonical == nil {
		return texts
	}
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = k.canonical(t)
	}
	return out
}

// setNumber takes a number, a duration or a size that lies in the key's range.
func setNumber[T int | int64 | time.Duration](k Key, to *T, text string, parse func(string) (T, error)) []flaw {
	n, err := parse(text)
	if err != nil {
		return []flaw{{-1, err.Error()}}
	}
	if n < 0 || !within(k, n, parse) {
		return []flaw{{-1, fmt.Sprintf("must be %s (%s)", k.rangeOrPositive(), k.Path)}}
	}
	*to = n
	return nil
}

// within compares with the ends of the range, which a test holds to be readable.
func within[T int | int64 | time.Duration](k Key, n T, parse func(string) (T, error)) bool {
	if least, err := parse(k.Least); err == nil && n < least {
		return false
	}
	if most, err := parse(k.Most); err == nil && n > most {
		return false
	}
	return true
}

func (k Key) rangeOrPositive() string {
	if r := k.Range(); r != "" {
		return r
	}
	return "0 or more"
}
