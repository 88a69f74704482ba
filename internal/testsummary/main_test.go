package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name   string
		in     []string
		want   string
		failed bool
	}{
		{
			name: "what passed is a line a package, what was left out is told with its reason",
			in: []string{
				`{"Action":"start","Package":"kurs/a"}`,
				`{"Action":"run","Package":"kurs/a","Test":"TestOne"}`,
				`{"Action":"output","Package":"kurs/a","Test":"TestOne","Output":"=== RUN   TestOne\n"}`,
				`{"Action":"output","Package":"kurs/a","Test":"TestOne","Output":"--- PASS: TestOne (0.00s)\n"}`,
				`{"Action":"pass","Package":"kurs/a","Test":"TestOne"}`,
				`{"Action":"output","Package":"kurs/a","Test":"TestTwo","Output":"=== RUN   TestTwo\n"}`,
				`{"Action":"output","Package":"kurs/a","Test":"TestTwo","Output":"    a_test.go:12: needs sqlite3: not on the path\n"}`,
				`{"Action":"output","Package":"kurs/a","Test":"TestTwo","Output":"--- SKIP: TestTwo (0.00s)\n"}`,
				`{"Action":"skip","Package":"kurs/a","Test":"TestTwo"}`,
				`{"Action":"output","Package":"kurs/a","Output":"PASS\n"}`,
				`{"Action":"output","Package":"kurs/a","Output":"ok  \tkurs/a\t0.1s\n"}`,
				`{"Action":"pass","Package":"kurs/a"}`,
				`{"Action":"output","Package":"kurs/b","Output":"?   \tkurs/b\t[no test files]\n"}`,
				`{"Action":"skip","Package":"kurs/b"}`,
			},
			want: "ok  \tkurs/a\t0.1s\n" +
				"left out:\n  needs sqlite3: not on the path\n    kurs/a TestTwo\n" +
				"1 passed, 0 failed, 1 skipped\n",
		},
		{
			name: "what failed is told whole",
			in: []string{
				`{"Action":"output","Package":"kurs/a","Test":"TestOne","Output":"=== RUN   TestOne\n"}`,
				`{"Action":"output","Package":"kurs/a","Test":"TestOne","Output":"    a_test.go:9: 1 is not 2\n"}`,
				`{"Action":"output","Package":"kurs/a","Test":"TestOne","Output":"--- FAIL: TestOne (0.00s)\n"}`,
				`{"Action":"fail","Package":"kurs/a","Test":"TestOne"}`,
				`{"Action":"output","Package":"kurs/a","Output":"FAIL\n"}`,
				`{"Action":"output","Package":"kurs/a","Output":"FAIL\tkurs/a\t0.1s\n"}`,
				`{"Action":"fail","Package":"kurs/a"}`,
			},
			want: "    a_test.go:9: 1 is not 2\n--- FAIL: TestOne (0.00s)\n" +
				"FAIL\nFAIL\tkurs/a\t0.1s\n0 passed, 1 failed, 0 skipped\n",
			failed: true,
		},
		{
			name: "a test that never ended is told whole",
			in: []string{
				`{"Action":"output","Package":"kurs/a","Test":"TestOne","Output":"panic: test timed out\n"}`,
				`{"Action":"output","Package":"kurs/a","Output":"FAIL\tkurs/a\t600s\n"}`,
				`{"Action":"fail","Package":"kurs/a"}`,
			},
			want:   "panic: test timed out\nFAIL\tkurs/a\t600s\n0 passed, 0 failed, 0 skipped\n",
			failed: true,
		},
		{
			name: "a failed build is told, and the words of the go command",
			in: []string{
				`go: downloading example.org/x v1.0.0`,
				`{"ImportPath":"kurs/a","Action":"build-output","Output":"a.go:3:1: syntax error\n"}`,
				`{"ImportPath":"kurs/a","Action":"build-fail"}`,
				`{"Action":"output","Package":"kurs/a","Output":"FAIL\tkurs/a [build failed]\n"}`,
				`{"Action":"fail","Package":"kurs/a","FailedBuild":"kurs/a"}`,
			},
			want: "go: downloading example.org/x v1.0.0\na.go:3:1: syntax error\n" +
				"FAIL\tkurs/a [build failed]\n0 passed, 0 failed, 0 skipped\n",
			failed: true,
		},
		{name: "nothing tested is a failure", want: "0 passed, 0 failed, 0 skipped\n", failed: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := ""
			for _, line := range c.in {
				in += line + "\n"
			}
			var out strings.Builder
			err := run(strings.NewReader(in), &out)
			if (err != nil) != c.failed {
				t.Errorf("error %v, want one: %t", err, c.failed)
			}
			if diff := cmp.Diff(c.want, out.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRunTellsOfABrokenPipe(t *testing.T) {
	broken := errors.New("broken pipe")
	if err := run(errReader{broken}, &strings.Builder{}); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }
