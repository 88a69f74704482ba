package process

import (
	"testing"
	"testing/synctest"
	"time"

	"kurs"
)

func TestOnlyNewsOfInstrumentsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m instruments
		vod := kurs.Instrument{Symbol: "VOD.L", Name: "Vodafone"}
		renamed := kurs.Instrument{Symbol: "VOD.L", Name: "Vodafone Group"}
		for _, step := range []struct {
			name string
			of   kurs.Instrument
			keep bool
			want int
			wait time.Duration
		}{
			{"never told", vod, false, 1, 0},
			{"told, but not on the queue", vod, true, 1, 0},
			{"told", vod, true, 0, 0},
			{"another name", renamed, true, 1, 0},
			{"told under it", renamed, true, 0, tellAgain + time.Second},
			{"long ago", renamed, true, 1, 0},
		} {
			news := m.news([]kurs.Instrument{step.of})
			if len(news) != step.want {
				t.Errorf("%s: %d news", step.name, len(news))
			}
			if step.keep {
				m.keep(news)
			}
			time.Sleep(step.wait) //nolint:forbidigo // the bubble's own time
		}
	})
}
