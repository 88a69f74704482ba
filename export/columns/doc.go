// Package columns is what the rows of an export are made of: the columns of
// [kurs.Row] and [kurs.BarRow] in their order, with their names and kinds, and
// decimals as the whole numbers that binary formats keep.
//
// It must not know any format of files: Parquet and Arrow ask it what to write.
package columns
