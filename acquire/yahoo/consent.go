package yahoo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// In the European Union Yahoo's pages give their cookies only to who went through
// the pages of consent: redirects to a form on another host, and, once that is
// answered, back (recorded in 2023 and 2025; node-yahoo-finance2 getCrumb.ts,
// ticker helpers-session.go).

const (
	mostHops  = 12 // redirects and forms on the way to a cookie; the recorded way has 5
	mostForms = 2
)

// needed is the cookie without which no crumb is given.
const needed = "A3"

// A visit is the way to a cookie: its pages, and the cookies that they set.
type visit struct {
	client  *Client
	cookies map[string]string
	forms   int
}

// cookieFrom goes to a page and as far as that leads, and returns the cookies as
// the header that sends them back. Only they count: Yahoo gives them with a 404.
func (c *Client) cookieFrom(ctx context.Context, place string) (string, error) {
	v := &visit{client: c, cookies: map[string]string{}}
	page := request{url: place}
	for range mostHops {
		a, err := v.open(ctx, page)
		if err != nil {
			return "", err
		}
		next, further, err := v.next(page.url, a)
		switch {
		case err != nil:
			return "", fmt.Errorf("%s: %w", a.host, err)
		case further:
			page = next
			continue
		case v.cookies[needed] != "":
			return v.header(), nil
		case len(v.cookies) > 0 && !ownHost(hostOf(page.url)):
			return v.header(), nil // another server may name its cookies as it likes
		}
		return "", fmt.Errorf("%s answered %d without a cookie", a.host, a.status)
	}
	return "", fmt.Errorf("%d pages, and no end of them", mostHops)
}

// open asks for a page, within the budget.
func (v *visit) open(ctx context.Context, page request) (answer, error) {
	c := v.client
	release, err := c.budget.turn(ctx)
	if err != nil {
		return answer{}, err
	}
	defer release()
	// Without Accept: text/html no cookie is set (node-yahoo-finance2 getCrumb.ts).
	page.accept, page.cookie = "text/html,application/xhtml+xml", v.header()
	a := c.fetch(ctx, page)
	v.keep(a.header)
	if a.status == 0 || a.status == http.StatusTooManyRequests {
		c.stats.request(a.status, a.trouble)
		return a, a.trouble
	}
	c.stats.request(a.status, nil) // redirects are the way, and Yahoo gives its cookie with a 404
	return a, nil
}

// keep takes up the cookies that an answer sets. Kept by hand: a jar would hold
// back cookies that are marked secure, or of domain yahoo.com, from a server of
// another name on plain HTTP. All of the flow's hosts are of one owner, and
// nothing else is asked with them.
func (v *visit) keep(header http.Header) {
	for _, cookie := range (&http.Response{Header: header}).Cookies() {
		if cookie.MaxAge < 0 || cookie.Value == "" {
			delete(v.cookies, cookie.Name)
		} else {
			v.cookies[cookie.Name] = cookie.Value
		}
	}
}

func (v *visit) header() string {
	items := make([]string, 0, len(v.cookies))
	for _, name := range slices.Sorted(maps.Keys(v.cookies)) {
		items = append(items, name+"="+v.cookies[name])
	}
	return strings.Join(items, "; ")
}

// errElsewhere says that the way leads to where no cookie of Yahoo's is to be sent.
var errElsewhere = errors.New("it leads to another place")

// next is where an answer leads: by a redirect, or by the form of consent.
func (v *visit) next(from string, a answer) (page request, further bool, err error) {
	switch {
	case a.status >= 300 && a.status < 400 && a.header.Get("Location") != "":
		to, err := resolve(from, a.header.Get("Location"))
		return request{url: to}, true, err
	case a.status != http.StatusOK || v.cookies[needed] != "":
		return page, false, nil
	}
	fields, action, ok := consentForm(a.body)
	if !ok {
		return page, false, nil
	}
	if v.forms++; v.forms > mostForms {
		return page, false, errors.New("consent was given, and is asked for again")
	}
	to, err := resolve(from, action)
	return request{url: to, form: fields.Encode()}, true, err
}

// resolve is the address that a page's link means. It stays with the server that
// was asked, or with Yahoo where that was Yahoo, and never leaves TLS.
func resolve(from, link string) (string, error) {
	base, err := url.Parse(from)
	if err != nil {
		return "", err
	}
	to, err := base.Parse(link)
	if err != nil {
		return "", fmt.Errorf("a link that is none: %w", err)
	}
	same := to.Host == base.Host || ownHost(base.Hostname()) && ownHost(to.Hostname())
	if !same || to.Scheme != base.Scheme && to.Scheme != "https" {
		return "", errElsewhere
	}
	return to.String(), nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

const mostFields = 64

// consentForm finds the form of consent in a page: what to send as its answer,
// and where to. Values come unescaped ("&#x2F;" is "/"). ok is false for a page
// without one.
func consentForm(page []byte) (fields url.Values, action string, ok bool) {
	z := html.NewTokenizer(bytes.NewReader(page))
	z.SetMaxBuf(maxBody)
	inForm := false
	for {
		switch z.Next() {
		case html.ErrorToken: // the end of the page, or too large a piece of it
			return nil, "", false
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			switch atom.Lookup(name) {
			case atom.Form:
				at := attributes(z, more)
				inForm = strings.EqualFold(at["method"], "post")
				fields, action = url.Values{}, at["action"]
			case atom.Input:
				at := attributes(z, more)
				if inForm && strings.EqualFold(at["type"], "hidden") && at["name"] != "" && len(fields) < mostFields {
					fields.Set(at["name"], at["value"])
				}
			default:
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if atom.Lookup(name) != atom.Form || !inForm {
				continue
			}
			inForm = false
			if fields.Get("csrfToken") != "" && fields.Get("sessionId") != "" {
				fields["agree"] = []string{"agree", "agree"} // twice, as a browser does
				return fields, action, true
			}
		default:
		}
	}
}

// attributes are those of the tag that the tokenizer is at, the first of a name.
func attributes(z *html.Tokenizer, more bool) map[string]string {
	out := map[string]string{}
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		if _, twice := out[string(key)]; !twice && len(out) < mostFields {
			out[string(key)] = string(value)
		}
	}
	return out
}
