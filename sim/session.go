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
	status := http.StatusOK
	if a.r.URL.Path == "/" {
		status = http.StatusNotFound
	}
	if status == http.StatusNotFound || strings.Contains(a.r.Header.Get("Accept"), "text/html") {
		a.setCookies()
	}
	a.body = append(a.body[:0], "<!DOCTYPE html><html><head><title>Yahoo Finance (simulated by kurs)</title></head><body></body></html>\n"...)
	a.send(status, "text/html;charset=utf-8", "no-store, no-cache, max-age=0, private")
}

// setCookies gives out a new identity. Secure and Domain come only where a
// cookie jar would take them: over TLS, and under Yahoo's own name.
func (a *answer) setCookies() {
	value := a.x.newCookie()
	tail := "; Path=/; HttpOnly"
	host, _, _ := strings.Cut(a.r.Host, ":")
	if host == "yahoo.com" || strings.HasSuffix(host, ".yahoo.com") {
		tail += "; Domain=.yahoo.com"
	}
	if a.r.TLS != nil {
		tail += "; Secure"
	}
	const year = "; Max-Age=31536000"
	a.w.Header()["Set-Cookie"] = []string{
		"A1=" + value + year + tail + "; SameSite=Lax",
		"A3=" + value + year + tail,
		"A1S=" + value + tail + "; SameSite=Lax",
	}
}

// newCookie is a value of the form that Yahoo's has: an identity and a
// signature, by which any run with the same seed knows it again.
func (x *Exchange) newCookie() string {
	id := rand.Text()
	return "d=" + id + "&S=" + x.sign("cookie", id)
}

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

// crumb tells the crumb to who looks like a browser and has a cookie.
func (a *answer) crumb() {
	if !strings.HasPrefix(a.r.UserAgent(), "Mozilla/") {
		a.plain(http.StatusTooManyRequests, "Too Many Requests")
		return
	}
	cookie, ok := a.identity()
	if !ok {
		a.fail("finance", unauthorized("Invalid Cookie"))
		return
	}
	a.plain(http.StatusOK, a.x.crumbOf(cookie))
}

// authorized checks cookie and crumb and answers in Yahoo's words when they are
// not good.
func (a *answer) authorized(crumb string) bool {
	if crumb == "" {
		a.fail("finance", unauthorized("User is unable to access this feature - https://bit.ly/yahoo-finance-api-feedback"))
		return false
	}
	cookie, ok := a.identity()
	if !ok {
		a.fail("finance", unauthorized("Invalid Cookie"))
		return false
	}
	if !hmac.Equal([]byte(crumb), []byte(a.x.crumbOf(cookie))) {
		a.fail("finance", unauthorized("Invalid Crumb"))
		return false
	}
	return true
}
