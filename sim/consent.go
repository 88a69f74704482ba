package sim

import (
	"crypto/hmac"
	"html"
	"net/http"
	"net/url"
	"strings"
)

// The pages of consent, as recorded in 2023 and 2025: who asks for a page
// without cookies is sent to guce.yahoo.com, from there to a form on
// consent.yahoo.com, and with the form's answer back. One address is all of
// these hosts here; a client that keeps their names in Host finds them in the
// redirects too.
const (
	consentPath = "/consent"
	collectPath = "/v2/collectConsent"
	copyPath    = "/copyConsent"
)

// hosts of the flow, where the client calls them by their names.
const (
	guceHost    = "guce.yahoo.com"
	collectHost = "consent.yahoo.com"
)

// toConsent sends the client from a page to the consent that it lacks.
func (a *answer) toConsent() {
	id := a.x.newIdentity()
	guest := "AU" + id
	done := a.address(hostOf(a.r), a.r.URL.Path, nil)
	a.addCookie("GUCS", guest, "Max-Age=1800")
	a.redirect(http.StatusTemporaryRedirect, a.address(guceHost, consentPath, url.Values{
		"brandType": {"nonEu"}, "gcrumb": {a.x.sign("gcrumb", guest)}, "done": {done},
	}))
}

// consent hands the guest on to the form.
func (a *answer) consent() {
	guest, ok := a.guest()
	query := a.r.URL.Query()
	if !ok || query.Get("gcrumb") != a.x.sign("gcrumb", guest) {
		a.fail("finance", badRequest("no guest"))
		return
	}
	a.redirect(http.StatusFound, a.address(collectHost, collectPath, url.Values{"sessionId": {a.x.consentSession(guest, query.Get("done"))}}))
}

// consentSession carries the guest and the page that was asked for.
func (x *Exchange) consentSession(guest, done string) string {
	return "3_cc-session_" + guest + "." + x.sign("consent", guest+done) + "." + url.QueryEscape(done)
}

// consentGuest is whom a request's consent session is of, and the page to go back to.
func (a *answer) consentGuest() (guest, done string, ok bool) {
	parts := strings.SplitN(strings.TrimPrefix(a.r.URL.Query().Get("sessionId"), "3_cc-session_"), ".", 3)
	if len(parts) != 3 {
		return "", "", false
	}
	done, err := url.QueryUnescape(parts[2])
	ok = err == nil && hmac.Equal([]byte(parts[1]), []byte(a.x.sign("consent", parts[0]+done)))
	return parts[0], done, ok
}

// collect shows the form, and takes its answer.
func (a *answer) collect() {
	guest, done, ok := a.consentGuest()
	if !ok {
		a.fail("finance", badRequest("no consent session"))
		return
	}
	session := a.r.URL.Query().Get("sessionId")
	if a.r.Method != http.MethodPost {
		a.consentForm(guest, session, done)
		return
	}
	a.r.Body = http.MaxBytesReader(a.w, a.r.Body, 64<<10)
	err := a.r.ParseForm()
	form := a.r.PostForm
	if err != nil || form.Get("csrfToken") != a.x.sign("gcrumb", guest) || form.Get("sessionId") != session ||
		form.Get("originalDoneUrl") != done || form.Get("namespace") != "yahoo" || form.Get("agree") != "agree" {
		a.fail("finance", badRequest("the form is not answered as a browser answers it"))
		return
	}
	a.addCookie("CFC", "AQABCAF"+a.x.sign("cfc", guest), "Max-Age=31536000")
	a.redirect(http.StatusFound, a.address(guceHost, copyPath, url.Values{"sessionId": {session}, "lang": {"en-GB"}}))
}

// consentForm is the form with the fields of the recorded one, its values escaped
// as those are.
func (a *answer) consentForm(guest, session, done string) {
	escape := func(text string) string { return strings.ReplaceAll(html.EscapeString(text), "/", "&#x2F;") }
	b := append(a.body[:0], `<!DOCTYPE html><html><head><title>Yahoo is part of the Yahoo family of brands</title></head><body>`+"\n"+
		`<form method="post" class="consent-form" action="">`+"\n"...)
	for _, field := range [][2]string{
		{"csrfToken", a.x.sign("gcrumb", guest)}, {"sessionId", session}, {"originalDoneUrl", done}, {"namespace", "yahoo"},
	} {
		b = append(b, `<input type="hidden" name="`+field[0]+`" value="`+escape(field[1])+`">`+"\n"...)
	}
	a.body = append(b, `<button type="submit" class="btn secondary accept-all" name="agree" value="agree">Accept all</button>`+
		`<button type="submit" class="btn secondary reject-all" name="reject" value="reject">Reject all</button>`+"\n</form></body></html>\n"...)
	a.send(http.StatusOK, htmlType, "no-cache, no-store, must-revalidate")
}

// copyConsent gives the cookies to a guest who has consented.
func (a *answer) copyConsent() {
	guest, done, ok := a.consentGuest()
	if cookie, held := a.guest(); !ok || !held || cookie != guest {
		a.fail("finance", badRequest("no guest"))
		return
	}
	a.addCookie("GUC", "AQAB"+a.x.sign("guc", guest), "Max-Age=31536000")
	a.addCookie("EuConsent", "CP"+a.x.sign("euconsent", guest), "Max-Age=31536000")
	a.setCookies()
	u, err := url.Parse(done)
	if err != nil {
		a.fail("finance", badRequest("no page to go back to"))
		return
	}
	u.RawQuery = "guccounter=1"
	a.redirect(http.StatusFound, u.String())
}

// guest is the request's GUCS cookie.
func (a *answer) guest() (string, bool) {
	c, err := a.r.Cookie("GUCS")
	if err != nil {
		return "", false
	}
	return c.Value, c.Value != ""
}

func (a *answer) redirect(status int, to string) {
	a.w.Header().Set("Location", to)
	a.body = a.body[:0]
	a.send(status, htmlType, "no-store")
}

// address is a page of one of Yahoo's hosts: under that host's name for a client
// that calls this server by such names, else here.
func (a *answer) address(host, path string, query url.Values) string {
	u := url.URL{Scheme: "http", Host: a.r.Host, Path: path, RawQuery: query.Encode()}
	if called := hostOf(a.r); called == "yahoo.com" || strings.HasSuffix(called, ".yahoo.com") {
		u.Scheme, u.Host = "https", host
	} else if a.r.TLS != nil {
		u.Scheme = "https"
	}
	return u.String()
}

// hostOf is the host that a client calls this server by, without a port.
func hostOf(r *http.Request) string {
	host, _, _ := strings.Cut(r.Host, ":")
	return host
}

// addCookie sets a cookie, with what all of them end with.
func (a *answer) addCookie(name, value, age string) {
	h := a.w.Header()
	h["Set-Cookie"] = append(h["Set-Cookie"], name+"="+value+"; "+age+a.cookieTail())
}
