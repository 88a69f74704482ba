package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"kurs"
	"kurs/acquire/yahoo/wire"
)

// runDecode runs one kurs decode and returns its exit code and what it printed.
func runDecode(t *testing.T, stdin string, args ...string) (code kurs.ExitCode, stdout, stderr string) {
	t.Helper()
	var out, talk bytes.Buffer
	std := streams{in: strings.NewReader(stdin), out: &out, err: &talk}
	root := &cobra.Command{Use: "kurs", SilenceErrors: true, SilenceUsage: true}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(decodeCommand(std))
	root.SetArgs(append([]string{"decode"}, args...))
	root.SetOut(std.out)
	root.SetErr(std.err)
	err := root.ExecuteContext(t.Context())
	if err != nil && !errors.Is(err, errSilent) {
		printError(std.err, err, false)
	}
	return kurs.ExitCodeOf(err), out.String(), talk.String()
}

func answerFile(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const vodafone = `{"quoteResponse":{"result":[{"symbol":"VOD.L","quoteType":"EQUITY","exchange":"LSE","currency":"GBp","longName":"Vodafone Group",
"regularMarketPrice":88.42,"regularMarketTime":1795511701,"bid":88.4,"ask":88.44,"regularMarketVolume":123,"exchangeDataDelayedBy":15}],"error":null}}`

const vodafoneLine = `{"kind":"quote","source":"yahoo","symbol":"VOD.L","time":"2026-11-24T09:15:01Z","session":"regular","price":"88.42",` +
	`"unit":"GBp","currency":"GBP","factor":"0.01","bid":"88.4","ask":"88.44","volume":123,"delay_seconds":900,"exchange":"LSE","instrument_kind":"equity","name":"Vodafone Group"}` + "\n"

// premarketFrame is AAPL before the open, at 305.76: market_hours 0, written.
const premarketFrame = "CgRBQVBMFUjhmEMY4Jbi68lnKgNOTVMwCDgA"

func TestDecodePrints(t *testing.T) {
	const frameLine = `{"kind":"quote","source":"yahoo","symbol":"AAPL","time":"2026-05-22T08:10:22Z","session":"pre","price":"305.76","exchange":"NMS","instrument_kind":"equity"}` + "\n"
	tests := []struct{ name, input, want string }{
		{"a quote", vodafone, vodafoneLine},
		{"after a byte order mark", "\uFEFF" + vodafone, vodafoneLine},
		{
			"pre-market, approximate, unknown unit",
			`{"quoteResponse":{"result":[{"symbol":"X","currency":"XBT.","regularMarketPrice":35532.117,"regularMarketTime":1795511701,"bid":0,"preMarketPrice":7,"preMarketTime":1795511702,"shortName":"L&G <X>"}]}}`,
			`{"kind":"quote","source":"yahoo","symbol":"X","time":"2026-11-24T09:15:01Z","session":"regular","price":"35532.117","approximate":true,"unit":"XBT.","name":"L&G <X>"}` + "\n" +
				`{"kind":"quote","source":"yahoo","symbol":"X","time":"2026-11-24T09:15:02Z","session":"pre","price":"7","unit":"XBT.","name":"L&G <X>"}` + "\n",
		},
		{
			"a chart",
			`{"chart":{"result":[{"meta":{"symbol":"AAPL","currency":"USD","instrumentType":"EQUITY","exchangeName":"NMS","dataGranularity":"1d","regularMarketTime":1738616401},
			"timestamp":[1738593000,1738616401],"events":{"dividends":{"1738593000":{"amount":0.25,"date":1738593000}},"splits":{"1738593000":{"date":1738593000,"numerator":4,"denominator":1}},
			"capitalGains":{"1738593000":{"amount":1,"date":1738593000,"currency":"GBp"}}},
			"indicators":{"quote":[{"open":[229.99000549316406,null],"high":[230.5,null],"low":[229.89999389648438,null],"close":[230.32000732421875,231.5],"volume":[1000,1100]}]}}]}}`,
			`{"kind":"bar","source":"yahoo","symbol":"AAPL","start":"2025-02-03T14:30:00Z","interval":"1d","open":"229.99","high":"230.5","low":"229.9","close":"230.32","volume":1000,"unit":"USD","currency":"USD","factor":"1"}` + "\n" +
				`{"kind":"dividend","source":"yahoo","symbol":"AAPL","time":"2025-02-03T14:30:00Z","amount":"0.25","unit":"USD","currency":"USD","factor":"1"}` + "\n" +
				`{"kind":"split","source":"yahoo","symbol":"AAPL","time":"2025-02-03T14:30:00Z","numerator":"4","denominator":"1"}` + "\n" +
				`{"kind":"capital_gain","source":"yahoo","symbol":"AAPL","time":"2025-02-03T14:30:00Z","amount":"1","unit":"GBp","currency":"GBP","factor":"0.01"}` + "\n" +
				`{"kind":"quote","source":"yahoo","symbol":"AAPL","time":"2025-02-03T21:00:01Z","session":"regular","price":"231.5","unit":"USD","currency":"USD","factor":"1","volume":1100,"exchange":"NMS","instrument_kind":"equity"}` + "\n",
		},
		{
			"a spark",
			`{"TCS.NS":{"symbol":"TCS.NS","timestamp":[1763956800],"close":[3100.5],"dataGranularity":300}}`,
			`{"kind":"bar","source":"yahoo","symbol":"TCS.NS","start":"2025-11-24T04:00:00Z","interval":"5m","close":"3100.5"}` + "\n",
		},
		{
			"a search",
			`{"quotes":[{"symbol":"NOVO-B.CO","shortname":"Novo Nordisk","exchange":"CPH","quoteType":"EQUITY"},{"name":"none"}]}`,
			`{"kind":"instrument","source":"yahoo","symbol":"NOVO-B.CO","name":"Novo Nordisk","exchange":"CPH","instrument_kind":"equity"}` + "\n",
		},
		{
			"a stub",
			`{"quoteResponse":{"result":[{"symbol":"ADH","quoteType":"MUTUALFUND","exchange":"YHD"}]}}`,
			`{"kind":"instrument","source":"yahoo","symbol":"ADH","exchange":"YHD","instrument_kind":"fund"}` + "\n",
		},
		{"a version 1 frame", premarketFrame, frameLine},
		{"frames of both versions, a line each", premarketFrame + "\n" + `{"type":"pricing","message":"` + premarketFrame + `"}` + "\n", frameLine + frameLine},
		{"a recording with the body parsed", `{"request":{"url":"https://query2.finance.yahoo.com/v7/finance/quote?symbols=VOD.L"},"response":{"status":200,"bodyJson":` + vodafone + `}}`, vodafoneLine},
		{"a recording with the body as text", `{"response":{"status":200,"body":"` + premarketFrame + `"}}`, frameLine},
		{"a recording with bodyText", `{"request":{},"response":{"bodyJson":null,"bodyText":"` + premarketFrame + `"}}`, frameLine},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, talk := runDecode(t, tt.input)
			if code != kurs.ExitOK || talk != "" {
				t.Errorf("exit %d: %s", code, talk)
			}
			if diff := cmp.Diff(tt.want, out); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeErrorsOfYahoo(t *testing.T) {
	const gone = `{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}`
	const goneLine = `{"kind":"error","code":"Not Found","description":"No data found, symbol may be delisted"`
	tests := []struct {
		name, input string
		code        kurs.ExitCode
		want        string
	}{
		{"not found", gone, kurs.ExitNotFound, goneLine + "}\n"},
		{
			"not found, recorded", `{"request":{"url":"https://query2.finance.yahoo.com/v8/finance/chart/usddkk%3Dx?range=1d"},"response":{"status":404,"bodyJson":` + gone + `}}`,
			kurs.ExitNotFound, goneLine + `,"symbols":["DKK=X"]}` + "\n",
		},
		{"rate limit", "Edge: Too Many Requests", kurs.ExitRateLimit, `{"kind":"error","code":"Too Many Requests","description":"Edge: Too Many Requests"}` + "\n"},
		{
			"rate limit by status alone", `{"request":{"url":"https://query1.finance.yahoo.com/v7/finance/quote?symbols=A,%5EB"},"response":{"status":429,"body":"<html></html>"}}`,
			kurs.ExitRateLimit, `{"kind":"error","code":"Too Many Requests","symbols":["A","^B"]}` + "\n",
		},
		{
			"crumb", `{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}`,
			kurs.ExitFailed, `{"kind":"error","code":"Unauthorized","description":"Invalid Crumb"}` + "\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, talk := runDecode(t, tt.input)
			if code != tt.code || talk != "" {
				t.Errorf("exit %d, want %d: %s", code, tt.code, talk)
			}
			if diff := cmp.Diff(tt.want, out); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		name string
		args []string
		in   string
		code kurs.ExitCode
		want string
	}{
		{"nothing", nil, "", kurs.ExitFailed, "standard input: is empty"},
		{"white space", []string{"-"}, " \n", kurs.ExitFailed, "standard input: is empty"},
		{"not Yahoo's", nil, "{\n  \"hello\": 1}", kurs.ExitFailed, "standard input: not an answer of Yahoo: line 1, column 1:"},
		{"cut off", nil, vodafone[:100], kurs.ExitFailed, "standard input: decode yahoo quote: line 1, column 101: the answer is cut off"},
		{"a page, recorded", nil, `{"response":{"status":503,"body":"<html>Will be right back"}}`, kurs.ExitFailed, "recorded with HTTP status 503: not an answer of Yahoo: line 1, column 1: a web page"},
		{"a redirect, recorded", nil, `{"response":{"status":302,"body":""}}`, kurs.ExitFailed, "recorded with HTTP status 302: not an answer of Yahoo: line 1, column 1: the answer is empty"},
		{"an answer to something else", []string{"--endpoint", "chart"}, vodafone, kurs.ExitFailed, "decode yahoo chart: line 1, column 1: no chart answer"},
		{"too large", nil, strings.Repeat(" ", wire.MaxBody+1), kurs.ExitFailed, "larger than 64 MiB"},
		{"a missing file", []string{"no-such-file"}, "", kurs.ExitFailed, "no-such-file: no such file or directory"},
		{"a directory", []string{"."}, "", kurs.ExitFailed, ".: is a directory: name the files in it"},
		{"an endpoint that is none", []string{"--endpoint", "quotes"}, "", kurs.ExitUsage, "quote|chart|spark|search|stream"},
		{"a flag that is none", []string{"--end"}, "", kurs.ExitUsage, "unknown flag: --end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, talk := runDecode(t, tt.in, tt.args...)
			if code != tt.code || out != "" || !strings.Contains(talk, tt.want) {
				t.Errorf("exit %d, %q, %q; want %d, %q", code, out, talk, tt.code, tt.want)
			}
		})
	}
}

// A file that fails does not stop the others; the first failure's code counts.
func TestDecodeSeveralFiles(t *testing.T) {
	gone := answerFile(t, "gone.json", `{"chart":{"result":null,"error":{"code":"Not Found","description":"x"}}}`)
	bad := answerFile(t, "bad.json", `[]`)
	good := answerFile(t, "good.json", vodafone)
	code, out, talk := runDecode(t, "", gone, bad, good)
	if code != kurs.ExitNotFound {
		t.Errorf("exit %d", code)
	}
	if want := `{"kind":"error","code":"Not Found","description":"x"}` + "\n" + vodafoneLine; out != want {
		t.Error(cmp.Diff(want, out))
	}
	if !strings.Contains(talk, "bad.json: ") || strings.Contains(talk, "gone.json") || !strings.Contains(talk, "[KURS-DECODE]") {
		t.Errorf("talk: %q", talk)
	}
	if code, _, _ = runDecode(t, "", good, bad, gone); code != kurs.ExitFailed {
		t.Errorf("exit %d", code)
	}
	if code, out, _ = runDecode(t, vodafone, good, "-"); code != kurs.ExitOK || out != vodafoneLine+vodafoneLine {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestDecodeTellsWhatIsMissing(t *testing.T) {
	const recorded = `{"request":{"url":"https://query2.finance.yahoo.com/v7/finance/quote?symbols=VOD.L%2CNONEXIST"},"response":{"status":200,"bodyJson":` + vodafone + `}}`
	code, out, talk := runDecode(t, recorded)
	if code != kurs.ExitOK || out != vodafoneLine || talk != "note: standard input: left out by Yahoo: NONEXIST\n" {
		t.Errorf("exit %d: %s%s", code, out, talk)
	}
	code, out, talk = runDecode(t, `{"quoteResponse":{"result":[],"error":null}}`)
	if code != kurs.ExitOK || out != "" || talk != "note: standard input: an answer of Yahoo that says nothing\n" {
		t.Errorf("exit %d: %s%s", code, out, talk)
	}
}

func TestDecodeReportsThatItCannotPrint(t *testing.T) {
	var talk bytes.Buffer
	cmd := decodeCommand(streams{in: strings.NewReader(vodafone), out: brokenWriter{}, err: &talk})
	cmd.SetArgs([]string{})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if err := cmd.Execute(); kurs.ExitCodeOf(err) != kurs.ExitFailed || !strings.Contains(talk.String(), "print what it says") {
		t.Errorf("got %v, %q", err, talk.String())
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }
