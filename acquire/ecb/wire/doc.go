// Package wire reads the euro reference rates as the European Central Bank
// publishes them: the XML of eurofxref-daily.xml, eurofxref-hist-90d.xml and
// eurofxref-hist.xml, the CSV of eurofxref.csv and eurofxref-hist.csv, and the
// zip archives around the CSV. It is pure: bytes in, the words of package kurs
// out, the same on every machine, today or from an archive.
//
// It must not know how a file was got (no network, no clock, no file system), or
// whether a rate is plausible: it passes on what the bank said.
package wire
