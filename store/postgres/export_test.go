package postgres

// Unescape reads a text of the views as it was sent.
var Unescape = unescape
