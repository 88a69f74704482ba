module kurs/test/clients

go 1.26.0

require github.com/piquette/finance-go v1.1.0

require github.com/shopspring/decimal v0.0.0-20180709203117-cd690d0c9e24 // indirect
