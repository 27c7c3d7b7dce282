package passport

import (
	"encoding/json"

	"github.com/plimsoll/plimsoll/internal/replay"
)

// Decide is decide, with answers and decision as JSON.
func Decide(policies []replay.PolicyEntry, waivers []replay.Waiver, answers []byte) ([]byte, error) {
	var said map[string]answer
	if err := json.Unmarshal(answers, &said); err != nil {
		return nil, err
	}
	return json.Marshal(decide(policies, waivers, said))
}
