// Package logs is the one set-up of the logs of all processes of kurs. The
// supervisor owns the console and the log file; a stage process writes JSON
// lines on its standard error, which the supervisor reads and writes again in
// the form that the user chose. So a file has one writer, and every line the
// same form, wherever it comes from.
//
// What a provider or a symbol says may end up in a line. Whatever a terminal
// might obey is written as an escape, in every form, and long values are cut.
//
// It must not know what is logged, or where the settings come from.
package logs
