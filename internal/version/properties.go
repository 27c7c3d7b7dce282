package version

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll/plimsoll/ent/db"
	"github.com/plimsoll/plimsoll/internal/activity"
	"github.com/plimsoll/plimsoll/internal/canonical"
	"github.com/plimsoll/plimsoll/internal/check"
	"github.com/plimsoll/plimsoll/internal/fault"
)

const (
	maxProperties    = 50
	maxPropertyValue = 1024
)

// PropertiesOf returns the keys and values that people and tools gave a version, by key.
func PropertiesOf(v *db.ApplicationVersion) ([]*Property, error) {
	var list []*Property
	if err := json.Unmarshal([]byte(v.Properties), &list); err != nil {
		return nil, fmt.Errorf("read properties of version %d: %w", v.ID, err)
	}
	return list, nil
}

// checkProperties holds properties to the limits and returns them by key.
func checkProperties(path string, given []*PropertyInput) (map[string]string, error) {
	if err := check.List(path, len(given), maxProperties); err != nil {
		return nil, err
	}
	values := make(map[string]string, len(given))
	for i, p := range given {
		at := fmt.Sprintf("%s.%d", path, i)
		err := check.First(check.Name(at+".key", p.Key), check.Text(at+".value", p.Value, 0, maxPropertyValue))
		if err != nil {
			return nil, err
		}
		if _, twice := values[p.Key]; twice {
			return nil, fault.At(at+".key", "the key %q is given twice; a version has each key once", p.Key)
		}
		values[p.Key] = p.Value
	}
	return values, nil
}

func (c *PropertyChanges) check() (map[string]string, error) {
	if c == nil {
		return nil, nil
	}
	set, err := checkProperties("input.properties.set", c.Set)
	if err != nil {
		return nil, err
	}
	if err := check.List("input.properties.remove", len(c.Remove), maxProperties); err != nil {
		return nil, err
	}
	for i, key := range c.Remove {
		if _, both := set[key]; both {
			return nil, fault.At(fmt.Sprintf("input.properties.remove.%d", i), "the key %q is to be set as well; leave it out of one of the lists", key)
		}
	}
	return set, nil
}

// apply returns the version's properties as they will be, and what changes.
func (c *PropertyChanges) apply(v *db.ApplicationVersion, set map[string]string) (string, []activity.Change, error) {
	list, err := PropertiesOf(v)
	if err != nil || c == nil {
		return v.Properties, nil, err
	}
	values := map[string]string{}
	for _, p := range list {
		values[p.Key] = p.Value
	}
	var changes []activity.Change
	for _, key := range slices.Compact(slices.Sorted(slices.Values(c.Remove))) {
		if old, there := values[key]; there {
			delete(values, key)
			changes = append(changes, activity.Removed("property "+key, activity.Text(old)))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		old, there := values[key]
		if there && old == set[key] {
			continue
		}
		change := activity.Added("property "+key, activity.Text(set[key]))
		if there {
			change.From = activity.Text(old)
		}
		values[key], changes = set[key], append(changes, change)
	}
	if len(values) > maxProperties {
		return "", nil, fault.At("input.properties.set", "a version has at most %d properties and would have %d; remove some", maxProperties, len(values))
	}
	text, err := properties(values)
	return text, changes, err
}

// properties writes them as they are kept: by key.
func properties(values map[string]string) (string, error) {
	list := make([]Property, 0, len(values))
	for k, v := range values {
		list = append(list, Property{k, v})
	}
	slices.SortFunc(list, func(a, b Property) int { return cmp.Compare(a.Key, b.Key) })
	b, err := canonical.JSON(list)
	return string(b), err
}
