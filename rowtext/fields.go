package rowtext

// Field is a value of a line of CSV that is no row of ours.
type Field struct {
	Text   string
	Number bool // it is written as it is: a negative one begins with -
}

// Fields writes a line of any values. Texts are guarded as those of rows are.
func (d Dialect) Fields(b []byte, fields []Field) []byte {
	r := d.begin(b)
	for _, f := range fields {
		if f.Number {
			r.next()
			r.b = append(r.b, f.Text...)
			continue
		}
		r.text(f.Text)
	}
	return r.end()
}
