//go:build !unix

package pgtest

import (
	"errors"
	"os/exec"
)

// account is who the server runs as.
type account struct{}

func unprivileged() (account, error) {
	return account{}, errors.New("private servers are started on Unix only")
}

func (account) own(string) error { return nil }

func (account) become(*exec.Cmd) {}
