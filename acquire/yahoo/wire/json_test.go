package wire

import (
	"encoding/json"
	"strings"
	"testing"

	"kurs/internal/testkit"
)

// walk reads a whole document the way the decoders do.
func walk(body string) (msg string) {
	r := reader{b: []byte(body)}
	r.skip()
	r.end()
	return r.msg
}

func TestReaderAgreesWithJSON(t *testing.T) {
	documents := []string{
		`{}`, `[]`, ` { "a" : [ 1 , 2 ] } `, `{"a":{"b":{"c":[[[]]]}}}`, `"x"`, `"\""`, `"\\"`, `"\\\""`, `"a\\\\"`, `0`, `-0`, `-1.5e-10`, `1E+5`,
		`true`, `false`, `null`, `[true,false,null]`, "\t[\n]\r\n",
		``, ` `, `{`, `}`, `[`, `]`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `[1,]`, `[,1]`, `[1 2]`, `{"a" 1}`, `{1:2}`, `{"a":1 "b":2}`,
		`01`, `1.`, `.5`, `-`, `+1`, `1e`, `1e+`, `1.e5`, `0x1`, `--1`, `tru`, `truex`, `nul`, `nan`, `inf`, `"`, `"\`, `"\"`, `1 2`, `{}x`, "\x00", "1\x00", `[1}`, `{"a":1]`,
	}
	for _, doc := range documents {
		if got, want := walk(doc) == "", json.Valid([]byte(doc)); got != want {
			t.Errorf("%q: accepted is %v, valid is %v (%s)", doc, got, want, walk(doc))
		}
	}
}

func TestReaderTakesWhatYahooSendsBesides(t *testing.T) {
	for _, doc := range []string{`[Infinity]`, `[-Infinity,1]`, `{"a":NaN}`, "\"a\tb\""} {
		if msg := walk(doc); msg != "" {
			t.Errorf("%s: %s", doc, msg)
		}
	}
	for _, doc := range []string{`[Inf]`, `[Infinity1]`, `[-NaN]`, `[N]`} {
		if walk(doc) == "" {
			t.Errorf("%s is accepted", doc)
		}
	}
}

func TestReaderDepth(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	if msg := walk(nested(64)); msg != "" {
		t.Error(msg)
	}
	if walk(nested(65)) == "" {
		t.Error("65 levels are accepted")
	}
	if msg := walk("[" + strings.Repeat(nested(10)+",", 100) + "1]"); msg != "" {
		t.Errorf("depth is not given back: %s", msg)
	}
	if walk(strings.Repeat(`{"a":`, 1_000_000)) == "" {
		t.Error("a million levels are accepted")
	}
}

func TestReaderValuesOfAnotherType(t *testing.T) {
	const values = `[null,true,"1.5",{},[1],{"raw":"x"},{"raw":null},{"raw":{"raw":1}},{"fmt":"1"}]`
	r := reader{b: []byte(values)}
	for n := range r.elements() {
		if token := r.token(); token != nil {
			t.Errorf("element %d is the number %s", n, token)
		}
	}
	r = reader{b: []byte(`[NaN,Infinity,-Infinity]`)}
	for n := range r.elements() {
		if token := r.token(); token == nil {
			t.Errorf("element %d is not there", n)
		} else if d, known := parse(token); known {
			t.Errorf("element %d is the number %s", n, d)
		}
	}
	r = reader{b: []byte(`[null,true,1.5,{"a":"b"},["x"],NaN]`)}
	for n := range r.elements() {
		if text := r.text(); text != nil {
			t.Errorf("element %d is the text %q", n, text)
		}
	}
	if r.failed() {
		t.Error(r.msg)
	}
}

func TestReaderTexts(t *testing.T) {
	tests := []struct{ doc, want string }{
		{`"plain"`, "plain"},
		{`""`, ""},
		{`"\u00d8rsted A\/S"`, "Ørsted A/S"},
		{`"\ud83d\ude00"`, "😀"},
		{`"\ud83d"`, "\uFFFD"},
		{"\"a\xffb\"", "a\uFFFDb"},
		{"\"a\xff\\nb\"", "a\uFFFD\nb"},
	}
	for _, tt := range tests {
		r := reader{b: []byte(tt.doc)}
		if got := string(r.text()); got != tt.want || r.failed() {
			t.Errorf("%q: got %q (%s)", tt.doc, got, r.msg)
		}
	}
}

// FuzzReader: whatever encoding/json takes, the reader takes, down to its depth.
func FuzzReader(f *testing.F) {
	testkit.Corpus(f)
	f.Add([]byte(`{"a":[1,-2.5e3,"x\"y",null,true,{"b":{}}]}`))
	f.Add([]byte(`[Infinity,NaN]`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		r := reader{b: doc}
		r.skip()
		r.end()
		if json.Valid(doc) && r.failed() && !strings.Contains(r.msg, "nested deeper") {
			t.Errorf("%q is JSON, yet: %s at %d", doc, r.msg, r.at)
		}
		if r.at < 0 || r.at > len(doc) {
			t.Errorf("position %d of %d", r.at, len(doc))
		}
	})
}

func TestNamesAreShared(t *testing.T) {
	var n names
	if allocs := testing.AllocsPerRun(100, func() { n.share([]byte("America/New_York")) }); allocs > 0 {
		t.Errorf("%v allocations for a text that is known", allocs)
	}
	long := strings.Repeat("x", 1000)
	if got := n.share([]byte(long)); got != long {
		t.Error("a long text was changed")
	}
	for _, s := range n {
		if len(s) > maxName {
			t.Errorf("%d bytes are kept", len(s))
		}
	}
}
