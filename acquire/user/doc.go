// Package user is the source of what people say: what they decide of observations
// that were set aside, their corrections of prices, and the other names of
// instruments. A message is a JSON document that has all that process needs, so a
// replay does it again without any database.
//
// It must not know how what is said comes to kurs, or what becomes of it.
package user
