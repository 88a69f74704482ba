//go:build !linux && !darwin && !freebsd && !windows

package main

import (
	"errors"
	"fmt"
)

// freeSpace is not known on this system.
func freeSpace(dir string) (uint64, error) {
	return 0, fmt.Errorf("free space of %s: %w", dir, errors.ErrUnsupported)
}
