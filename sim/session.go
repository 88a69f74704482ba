package sim

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// session sets the cookies that the crumb and the quotes ask for. The root is
// what fc.yahoo.com is: it answers 404 and sets them for everybody. A quote's
// page sets them only for who asks for HTML.
func (a *answer) session() {
	if _, known := a.identity(); !known && a.x.faults.Load().Consent && !a.r.URL.Query().Has("guccounter") {
		a.toConsent()
		return
	}
	status := http.StatusOK
	if a.r.URL.Path == "/" {
		status = http.StatusNotFound
	}
	if status == http.StatusNotFound || strings.Contains(a.r.Header.Get("Accept"), "text/html") {
		a.setCookies()
	}
	a.body = append(a.body[:0], "<!DOCTYPE html><html><head><title>Yahoo Finance (simulated by kurs)</title></head><body></body></html>\n"...)
	a.send(status, htmlType, "no-store, no-cache, max-age=0, private")
}

// setCookies gives out a new identity.
func (a *answer) setCookies() {
	value := a.x.newCookie()
	const year = "Max-Age=31536000"
	a.addCookie("A1", value, year+"; SameSite=Lax")
	a.addCookie("A3", value, year)
	a.addCookie("A1S", value, "SameSite=Lax")
}

// cookieTail is what all cookies end with. Secure and Domain come only where a
// cookie jar would take them: over TLS, and under Yahoo's own name.
func (a *answer) cookieTail() string {
	tail := "; Path=/; HttpOnly"
	if host := hostOf(a.r); host == "yahoo.com" || strings.HasSuffix(host, ".yahoo.com") {
		tail += "; Domain=.yahoo.com"
	}
	if a.r.TLS != nil {
		tail += "; Secure"
	}
	return tail
}

// newCookie is a value of the form that Yahoo's has: an identity and a
// signature, by which any run with the same seed knows it again.
func (x *Exchange) newCookie() string {
	id := x.newIdentity()
	return "d=" + id + "&S=" + x.sign("cookie", id)
}

func (*Exchange) newIdentity() string { return rand.Text() }

// sign is 22 characters that only this seed makes of a text.
func (x *Exchange) sign(purpose, text string) string {
	mac := hmac.New(sha256.New, x.secret)
	fmt.Fprintf(mac, "%s\x00%s", purpose, text)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// identity is the request's A3 cookie, if it is one of ours.
func (a *answer) identity() (string, bool) {
	c, err := a.r.Cookie("A3")
	if err != nil {
		return "", false
	}
	id, signature, ok := strings.Cut(strings.TrimPrefix(c.Value, "d="), "&S=")
	return c.Value, ok && hmac.Equal([]byte(signature), []byte(a.x.sign("cookie", id)))
}

// crumbOf is the one crumb that goes with a cookie: 11 characters, among them
// some that must be escaped in a URL.
func (x *Exchange) crumbOf(cookie string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./"
	mac := hmac.New(sha256.New, x.secret)
	fmt.Fprintf(mac, "crumb\x00%s", cookie)
	sum := mac.Sum(nil)[:11]
	for i := range sum {
		sum[i] = alphabet[sum[i]%64]
	}
	return string(sum)
}

// unauthorizedWords are the three wordings of a 401 that have been seen.
var unauthorizedWords = [...]string{
	"Invalid Crumb",
	"Invalid Cookie",
	"User is unable to access this feature - https://bit.ly/yahoo-finance-api-feedback",
}

// crumb tells the crumb to who looks like a browser and has a cookie.
func (a *answer) crumb() {
	if !strings.HasPrefix(a.r.UserAgent(), "Mozilla/") {
		a.plain(http.StatusTooManyRequests, "Too Many Requests")
		return
	}
	cookie, ok := a.identity()
	if !ok {
		a.fail("finance", unauthorized(unauthorizedWords[1]))
		return
	}
	a.plain(http.StatusOK, a.x.crumbOf(cookie))
}

// authorized checks cookie and crumb and answers in Yahoo's words when they are
// not good.
func (a *answer) authorized(crumb string) bool {
	if crumb == "" {
		a.fail("finance", unauthorized(unauthorizedWords[2]))
		return false
	}
	cookie, ok := a.identity()
	if !ok {
		a.fail("finance", unauthorized(unauthorizedWords[1]))
		return false
	}
	if !hmac.Equal([]byte(crumb), []byte(a.x.crumbOf(cookie))) {
		a.fail("finance", unauthorized(unauthorizedWords[0]))
		return false
	}
	return true
}
