package tlog

import (
	"encoding/base64"
	"fmt"
)

// Key is what verifies the witness's cosignatures, as signed notes write keys: "name+hash+key".
func (w Witness) Key() string {
	v, ok := w.verifier.(witness)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s+%08x+%s", v.name, v.hash, base64.StdEncoding.EncodeToString(append([]byte{signsTimes}, v.key...)))
}
