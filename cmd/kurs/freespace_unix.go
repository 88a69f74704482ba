//go:build linux || darwin || freebsd

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeSpace is how many bytes this user may still write to the file system that
// dir is on.
func freeSpace(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return uint64(max(0, st.Bavail)) * uint64(st.Bsize), nil //nolint:gosec,unconvert // types differ by system; never negative
}
