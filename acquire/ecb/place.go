package ecb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// place is where the rates are.
type place interface {
	// fetch gets the file to begin with, or the one to go on with. It is
	// unchanged, and has no body, where it is still the one that the tag was given
	// with, or that was got before in this run.
	fetch(ctx context.Context, first bool, known tag) (fetched, error)
	hasMore() bool                        // the file to begin with has more days than the other
	next(now, newest time.Time) time.Time // when to ask again
	wait(fails int) time.Duration         // after so many failures in a row
	name() string                         // for people
}

// fetched is what a place answered.
type fetched struct {
	body      []byte
	tag       tag
	unchanged bool
	keep      bool // it is worth keeping over a restart
}

// tag is how a server tells whether a file is still the same.
type tag struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"last_modified,omitempty"`
}

// The bank's files: all days of the last three months, and the last day.
const (
	firstFile = "eurofxref-hist-90d.xml"
	dailyFile = "eurofxref-daily.xml"
)

// placeOf reads the address.
func placeOf(c Config) (place, error) {
	if !strings.Contains(c.URL, "://") {
		return &file{path: c.URL}, nil
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, errors.New("not an address")
	}
	switch {
	case u.Scheme == "file" && u.Host == "" && u.Path != "":
		return &file{path: filePath(u.Path)}, nil
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%q: http://, https://, file:/// or the path of a file expected", c.URL)
	}
	s := &server{host: u.Host, timeout: c.Timeout}
	if slices.Contains([]string{".xml", ".csv", ".zip"}, strings.ToLower(path.Ext(u.Path))) {
		s.first, s.daily = u.String(), u.String()
	} else {
		s.first, s.daily = u.JoinPath(firstFile).String(), u.JoinPath(dailyFile).String()
	}
	s.client = &http.Client{Transport: c.Transport, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		if len(via) > mostRedirects {
			return errors.New("too many redirects")
		}
		return nil
	}}
	if c.Transport == nil {
		s.client.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, DisableCompression: true,
			MaxIdleConns: 1, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: c.Timeout, ResponseHeaderTimeout: c.Timeout,
		}
	}
	return s, nil
}

const mostRedirects = 3

// backoff grows from a minute to half an hour; half of it is chance.
func backoff(fails int) time.Duration {
	wait := time.Minute
	for ; fails > 1 && wait < mostBackoff; fails-- {
		wait *= 2
	}
	wait = min(wait, mostBackoff)
	return wait/2 + jitter(wait/2)
}

const mostBackoff = 30 * time.Minute
