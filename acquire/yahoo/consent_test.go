package yahoo

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kurs/acquire/yahoo/wire"
	"kurs/internal/testkit"
	"kurs/sim"
)

// recorded is an answer as node-yahoo-finance2 recorded it.
type recorded struct {
	Request  struct{ URL string }
	Response struct {
		Status  int
		Headers map[string][]string
		Body    string
	}
}

// sessions are the recorded answers of a browser's way to a crumb.
func sessions(tb testing.TB) map[string]recorded {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(testkit.Recorded(tb), "yahoo", "session", "*.json"))
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string]recorded{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var r recorded
		if err := json.Unmarshal(text, &r); err != nil {
			tb.Fatal(err)
		}
		out[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "nyf-v2-getCrumb-"), ".json")] = r
	}
	return out
}

// consentPage has the form of the recorded page, with what surrounds it there
// and could be mistaken for it.
const consentPage = `<!DOCTYPE html><html><body>
<form class="search" action="/s"><input type="hidden" name="csrfToken" value="wrong"></form>
<form method="post" class="consent-form" action="">
  <input type="hidden" name="csrfToken" value="S9uotAc">
  <input type="hidden" name="sessionId" value="3_cc-session_bd7a0720-7115-4809-82ad-97ac2fc34194">
  <input type="hidden" name="originalDoneUrl" value="https:&#x2F;&#x2F;finance.yahoo.com&#x2F;quote&#x2F;AAPL?a=1&amp;b=2">
  <INPUT TYPE=hidden NAME=namespace VALUE=yahoo />
  <input type="text" name="visible" value="no"><input type="hidden" value="nameless">
  <button type="submit" name="agree" value="agree">Accept all</button><button name="reject" value="reject">Reject all</button>
</form></body></html>`

func TestConsentForm(t *testing.T) {
	want := url.Values{
		"csrfToken": {"S9uotAc"}, "sessionId": {"3_cc-session_bd7a0720-7115-4809-82ad-97ac2fc34194"},
		"originalDoneUrl": {"https://finance.yahoo.com/quote/AAPL?a=1&b=2"}, "namespace": {"yahoo"}, "agree": {"agree", "agree"},
	}
	fields, action, ok := consentForm([]byte(consentPage))
	if diff := cmp.Diff(want, fields); diff != "" || !ok || action != "" {
		t.Errorf("%v %q\n%s", ok, action, diff)
	}
	for _, page := range []string{
		"", "<html></html>", `<form method="post"><input type="hidden" name="csrfToken" value="x"></form>`,
		strings.ReplaceAll(consentPage, `method="post"`, ""), consentPage[:len(consentPage)/2],
	} {
		if fields, _, ok := consentForm([]byte(page)); ok {
			t.Errorf("a form %v in %q", fields, page)
		}
	}
}

// TestRecordedConsent goes the recorded way, page by page.
func TestRecordedConsent(t *testing.T) {
	all := sessions(t)
	page := all["quote-AAPL-collectConsent.html"]
	fields, action, ok := consentForm([]byte(page.Response.Body))
	want := url.Values{
		"csrfToken": {"S9uotAc"}, "sessionId": {"3_cc-session_bd7a0720-7115-4809-82ad-97ac2fc34194"},
		"originalDoneUrl": {"https://finance.yahoo.com/quote/AAPL?guccounter=1"}, "namespace": {"yahoo"}, "agree": {"agree", "agree"},
	}
	for _, name := range []string{"csrfToken", "sessionId", "originalDoneUrl", "namespace", "agree"} {
		if diff := cmp.Diff(want[name], fields[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if !ok || action != "" {
		t.Errorf("%v %q", ok, action)
	}
	for name, where := range map[string]string{
		"quote-AAPL-pre-consent-VPN-UK":   "https://guce.yahoo.com/consent?brandType=nonEu&gcrumb=S9uotAc&done=https%3A%2F%2Ffinance.yahoo.com%2Fquote%2FAAPL",
		"quote-AAPL-consent.html":         "https://consent.yahoo.com/v2/collectConsent?sessionId=3_cc-session_bd7a0720-7115-4809-82ad-97ac2fc34194",
		"quote-AAPL-collectConsentSubmit": "https://guce.yahoo.com/copyConsent?sessionId=3_cc-session_bd7a0720-7115-4809-82ad-97ac2fc34194&lang=en-GB",
	} {
		r := all[name]
		header := http.Header{}
		for key, values := range r.Response.Headers {
			header[http.CanonicalHeaderKey(key)] = values
		}
		v := &visit{cookies: map[string]string{}}
		v.keep(header)
		next, further, err := v.next(r.Request.URL, answer{status: r.Response.Status, header: header, body: []byte(r.Response.Body)})
		if err != nil || !further || next.url != where || next.form != "" {
			t.Errorf("%s leads to %+v, %v, %v", name, next, further, err)
		}
	}
	if err := checkCrumb([]byte(all["getcrumb"].Response.Body)); err != nil {
		t.Error(err)
	}
}

func TestWhereAWayLeads(t *testing.T) {
	for _, c := range []struct{ from, link, want string }{
		{"https://finance.yahoo.com/quote/AAPL", "https://guce.yahoo.com/consent?x=1", "https://guce.yahoo.com/consent?x=1"},
		{"https://consent.yahoo.com/v2/collectConsent?sessionId=1", "", "https://consent.yahoo.com/v2/collectConsent?sessionId=1"},
		{"http://127.0.0.1:8790/", "/consent", "http://127.0.0.1:8790/consent"},
		{"https://finance.yahoo.com/", "https://evil.example/", ""},
		{"https://finance.yahoo.com/", "https://yahoo.com.evil.example/", ""},
		{"https://finance.yahoo.com/", "http://finance.yahoo.com/", ""},
		{"https://finance.yahoo.com/", "file:///etc/passwd", ""},
		{"http://127.0.0.1:8790/", "http://127.0.0.1:8791/", ""},
		{"https://finance.yahoo.com/", "http://[", ""},
	} {
		got, err := resolve(c.from, c.link)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s from %s: %q, %v", c.link, c.from, got, err)
		}
	}
}

// TestConsentToASession goes the whole way on a server that speaks the protocol.
func TestConsentToASession(t *testing.T) {
	x, err := sim.New(sim.Config{Symbols: []string{"AAPL"}, Faults: sim.Faults{Consent: true}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(x.Handler())
	defer server.Close()
	dir := t.TempDir()
	c, err := NewClient(Config{QueryURL: server.URL, SessionURL: server.URL, StateDir: dir}, wire.Decode, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raws, err := c.Quotes(t.Context(), []string{"AAPL"})
	if err != nil || len(raws) != 1 || raws[0].Endpoint != "quote" {
		t.Fatalf("%v, %+v", err, raws)
	}
	kept, ok := c.memory.loadSession()
	for _, name := range []string{"A1=", "A3=", "GUC=", "GUCS=", "EuConsent="} {
		if !ok || !strings.Contains(kept.Cookie, name) {
			t.Errorf("%s is not in %q", name, kept.Cookie)
		}
	}
	info, err := os.Stat(filepath.Join(dir, sessionFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestConsentThatNeverEnds: neither redirects nor forms in a circle are followed
// for ever.
func TestConsentThatNeverEnds(t *testing.T) {
	for name, page := range map[string]http.HandlerFunc{
		"redirects": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) },
		"forms": func(w http.ResponseWriter, _ *http.Request) {
			if _, err := w.Write([]byte(consentPage)); err != nil {
				t.Error(err)
			}
		},
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://localhost.example/", http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				page(w, r)
			}))
			defer server.Close()
			c, err := NewClient(Config{QueryURL: server.URL, SessionURL: server.URL}, wire.Decode, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if cookie, err := c.cookieFrom(t.Context(), server.URL+"/"); err == nil || requests > mostHops {
				t.Errorf("%q after %d requests", cookie, requests)
			}
			if _, err := c.cookieFrom(t.Context(), server.URL+"/"); name == "elsewhere" && !errors.Is(err, errElsewhere) {
				t.Errorf("%v", err)
			}
		})
	}
}

func FuzzConsentForm(f *testing.F) {
	testkit.Corpus(f)
	f.Add([]byte(consentPage))
	f.Add([]byte(`<form method=post><input type=hidden name=csrfToken value=a><input type=hidden name=sessionId value=b></form>`))
	f.Fuzz(func(t *testing.T, page []byte) {
		fields, action, ok := consentForm(page)
		if !ok {
			return
		}
		if fields.Get("csrfToken") == "" || fields.Get("sessionId") == "" || len(fields["agree"]) != 2 || len(fields) > mostFields+1 {
			t.Errorf("%v", fields)
		}
		const from = "https://consent.yahoo.com/v2/collectConsent"
		if to, err := resolve(from, action); err == nil {
			u, err := url.Parse(to)
			if err != nil || u.Scheme != "https" || !ownHost(u.Hostname()) {
				t.Errorf("%q leads to %q", action, to)
			}
		}
	})
}

func FuzzCrumb(f *testing.F) {
	testkit.Corpus(f)
	for _, crumb := range []string{"mloUP8q7ZPH", "", "Too Many Requests", "Edge: Too Many Requests", "<html>", `{"a":1}`, "a b", "a/b.c", "\x00"} {
		f.Add([]byte(crumb))
	}
	f.Fuzz(func(t *testing.T, crumb []byte) {
		if checkCrumb(crumb) != nil {
			return
		}
		u, err := url.Parse(quoteURL("https://query2.finance.yahoo.com", []string{"AAPL"}, true, string(crumb)))
		if err != nil || u.Query().Get("crumb") != string(crumb) || u.Query().Get("symbols") != "AAPL" {
			t.Errorf("%q becomes %v, %v", crumb, u, err)
		}
	})
}
