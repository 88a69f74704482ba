package sim

import (
	"encoding/json"
	"io"
	"net/http"
)

// controlPath is what is not Yahoo's: how the exchange is asked about itself.
// Requests to it count nowhere and meet no fault.
const controlPath = "/_sim/"

// control answers GET /_sim/stats and /_sim/faults, and takes PUT /_sim/faults,
// whose body is a specification.
func (a *answer) control() {
	switch a.r.Method + " " + a.r.URL.Path {
	case "GET " + controlPath + "stats":
		text, err := json.MarshalIndent(a.x.Stats(), "", "  ")
		if err != nil {
			http.Error(a.w, err.Error(), http.StatusInternalServerError)
			return
		}
		a.w.Header().Set("Content-Type", jsonType)
		a.reply(append(text, '\n'))
	case "GET " + controlPath + "faults":
		a.reply([]byte(a.x.faults.Load().String() + "\n"))
	case "PUT " + controlPath + "faults":
		text, err := io.ReadAll(http.MaxBytesReader(a.w, a.r.Body, 4<<10))
		if err != nil {
			http.Error(a.w, err.Error(), http.StatusBadRequest)
			return
		}
		f, err := ParseFaults(string(text))
		if err != nil {
			http.Error(a.w, err.Error(), http.StatusBadRequest)
			return
		}
		a.x.SetFaults(f)
		a.reply([]byte(f.String() + "\n"))
	default:
		http.Error(a.w, "GET /_sim/stats, GET or PUT /_sim/faults", http.StatusNotFound)
	}
}

func (a *answer) reply(text []byte) {
	if _, err := a.w.Write(text); err != nil {
		a.x.log.Debug("client went away", "error", err)
	}
}
