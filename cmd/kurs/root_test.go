package main

import (
	"strings"
	"testing"
)

// TestWrongCommandLines: what is wrong is named, with what was probably meant.
func TestWrongCommandLines(t *testing.T) {
	for _, tt := range []struct{ line, says, try string }{
		{"decod", `"decod" is not a command`, "kurs decode"},
		{"nonsense --demo", `"nonsense" is not a command`, "kurs help"},
		{"config chek", `"chek" is not a command`, "kurs config check"},
		{"--hepl", "unknown flag: --hepl", "kurs --help"},
		{"init --simbols AAPL", "unknown flag: --simbols", "kurs init --symbols"},
		{"init --zzz", "unknown flag: --zzz", "kurs init --help"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			var out, talk strings.Builder
			code := execute(t.Context(), strings.Fields(tt.line), streams{in: strings.NewReader(""), out: &out, err: &talk})
			want := "error: " + tt.says + "   [KURS-USAGE]\n  try:  " + tt.try + "\n"
			if code != 2 || talk.String() != want || out.Len() > 0 {
				t.Errorf("exit %d\n got %s\nwant %s\n out %s", code, talk.String(), want, out.String())
			}
		})
	}
}
