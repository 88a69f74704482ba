package main

import (
	"context"
	"log/slog"

	"kurs"
	"kurs/config"
	"kurs/store"
	"kurs/store/parquet"
)

func parquetTarget(c config.Config, log *slog.Logger) store.Target {
	p := c.Store.Parquet
	to := parquet.Config{
		Dir: c.Paths.Parquet, BaseCurrency: c.Currency, FlushRows: p.FlushRows, FlushEvery: p.FlushEvery, Compact: p.Compact,
	}
	if p.URL != "" {
		to.S3 = &parquet.S3{
			URL: p.URL, Endpoint: p.Endpoint, Region: p.Region, AccessKey: p.AccessKey, SecretKeyFile: p.SecretKeyFile,
		}
	}
	return store.Target{
		Open: func(ctx context.Context) (kurs.Store, error) {
			s, err := parquet.Open(ctx, to, log.With("store", "parquet"))
			if err != nil {
				return nil, err // not a nil *parquet.Store in the interface
			}
			return s, nil
		},
		Trouble: func(err error) string {
			switch parquet.Condition(err) {
			case parquet.ConditionFull:
				return "KURS-DISK"
			case parquet.ConditionRefused, parquet.ConditionUnreachable:
				return "KURS-OBJECTS"
			case parquet.ConditionLocked:
				return "KURS-LOCK"
			case parquet.ConditionIO:
				return "KURS-DIR"
			}
			return ""
		},
	}
}
