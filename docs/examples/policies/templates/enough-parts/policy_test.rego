package acme.enough_parts_test

import data.acme.enough_parts

test_one_part_is_too_few if {
	given := {"version": {"version": "1.0.0"}, "contents": [{"name": "image"}]}
	count(enough_parts.violations) == 1 with input as given with data.parameters as {"least": 2}
}

test_two_parts_are_enough if {
	given := {"version": {"version": "1.0.0"}, "contents": [{"name": "image"}, {"name": "chart"}]}
	count(enough_parts.violations) == 0 with input as given with data.parameters as {"least": 2}
}
