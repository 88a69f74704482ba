package process

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestMissingRatesAreToldOnceAnHour(t *testing.T) {
	began := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	var m missing
	for _, c := range []struct {
		name    string
		after   time.Duration
		entries []entry
		want    []waits
	}{
		{"nothing waits", 0, nil, nil},
		{"the rate comes in a moment", 29 * time.Second, []entry{{currency: "USD", prices: 4, received: began}}, nil},
		{
			"it does not", 30 * time.Second,
			[]entry{{currency: "USD", prices: 4, received: began}, {currency: "USD", prices: 1, received: began.Add(time.Second)}},
			[]waits{{"USD", 5, began}},
		},
		{
			"another currency has a line of its own", 10 * time.Minute,
			[]entry{{currency: "USD", prices: 99, received: began}, {currency: "JPY", prices: 2, received: began.Add(9 * time.Minute)}},
			[]waits{{"JPY", 2, began.Add(9 * time.Minute)}},
		},
		{"gone, and back within the hour", 50 * time.Minute, []entry{{currency: "USD", prices: 1, received: began.Add(40 * time.Minute)}}, nil},
		{
			"an hour later", time.Hour + 30*time.Second,
			[]entry{{currency: "USD", prices: 7, received: began}, {currency: "JPY", prices: 9, received: began}},
			[]waits{{"USD", 7, began}},
		},
	} {
		got := m.due(c.entries, began.Add(c.after))
		if diff := gocmp.Diff(c.want, got, gocmp.AllowUnexported(waits{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
