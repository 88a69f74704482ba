// Package pb holds the messages between the stages, generated from kurs.proto.
// It must not know what they mean; package queue turns them into the words of
// package kurs and back.
package pb

//go:generate protoc --go_out=. --go_opt=paths=source_relative kurs.proto
