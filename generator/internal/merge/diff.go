package merge

import "math"

// change says that lines from up to to of the old text, to itself not included, became those of the new one.
type change struct{ oldFrom, oldTo, newFrom, newTo int }

// diff returns the changes that make b of a, in order; two of them never touch. Numbers stand for lines.
func diff(a, b []int) []change {
	d := newDiffer(a, b)
	d.compare(0, len(d.a), 0, len(d.b))
	slideDown(a, d.removed)
	slideDown(b, d.added)
	return collect(d.removed, d.added)
}

// collect reads the changes off the marks. Lines without a mark are the same in both texts, one after the other.
func collect(removed, added []bool) []change {
	var changes []change
	for i, j := 0, 0; i < len(removed) || j < len(added); {
		c := change{oldFrom: i, newFrom: j}
		for i < len(removed) && removed[i] {
			i++
		}
		for j < len(added) && added[j] {
			j++
		}
		if c.oldTo, c.newTo = i, j; c.oldFrom < i || c.newFrom < j {
			changes = append(changes, c)
		}
		i, j = i+1, j+1
	}
	return changes
}

// slideDown moves each run of marked lines as far down as it goes without another meaning: where a line was inserted
// among equal ones is a matter of taste, but it must be the same taste for both sides of a merge.
func slideDown(lines []int, marked []bool) {
	for end := len(lines); end > 0; {
		if !marked[end-1] {
			end--
			continue
		}
		start := end
		for start > 0 && marked[start-1] {
			start--
		}
		from, to := start, end
		for to < len(lines) && lines[from] == lines[to] {
			marked[from], marked[to] = false, true
			from, to = from+1, to+1
			for to < len(lines) && marked[to] {
				to++ // it has reached the next run, and takes it along
			}
		}
		end = start
	}
}

// differ finds a shortest way from a to b by Myers' algorithm in linear space. It works on the lines that occur in both texts.
type differ struct {
	a, b           []int
	fromA, fromB   []int // where these lines are in the whole texts
	removed, added []bool
	// How far along each diagonal the searches from the start and from the end have come.
	forward, backward []int
	zero              int // the index of diagonal 0 in them
}

func newDiffer(a, b []int) *differ {
	d := &differ{removed: make([]bool, len(a)), added: make([]bool, len(b))}
	d.a, d.fromA = keepKnown(a, b, d.removed)
	d.b, d.fromB = keepKnown(b, a, d.added)
	size := len(d.a) + len(d.b) + 3
	d.forward, d.backward, d.zero = make([]int, size), make([]int, size), len(d.b)+1
	return d
}

// keepKnown marks the lines that other does not have, and returns the rest with their places.
func keepKnown(lines, other []int, marked []bool) (known, places []int) {
	has := make(map[int]bool, len(other))
	for _, line := range other {
		has[line] = true
	}
	for i, line := range lines {
		if has[line] {
			known, places = append(known, line), append(places, i)
		} else {
			marked[i] = true
		}
	}
	return known, places
}

// compare marks what differs between a[a0:a1] and b[b0:b1].
func (d *differ) compare(a0, a1, b0, b1 int) {
	for a0 < a1 && b0 < b1 && d.a[a0] == d.b[b0] {
		a0, b0 = a0+1, b0+1
	}
	for a0 < a1 && b0 < b1 && d.a[a1-1] == d.b[b1-1] {
		a1, b1 = a1-1, b1-1
	}
	if a0 == a1 || b0 == b1 {
		for _, i := range d.fromA[a0:a1] {
			d.removed[i] = true
		}
		for _, i := range d.fromB[b0:b1] {
			d.added[i] = true
		}
		return
	}
	x, y := d.middle(box{a0, a1, b0, b1})
	d.compare(a0, x, b0, y)
	d.compare(x, a1, y, b1)
}

// box is a part of the two texts, as a rectangle with a to the right and b downwards.
type box struct{ a0, a1, b0, b1 int }

// maxCost bounds the search for the middle. Texts that are further apart get a way that is good, not shortest.
const maxCost = 2000

// middle returns a point on a shortest way through the box, other than its corners when there is a choice.
func (d *differ) middle(r box) (x, y int) {
	start, end := r.a0-r.b0, r.a1-r.b1 // the diagonals of the two corners
	d.forward[d.zero+start], d.backward[d.zero+end] = r.a0, r.a1
	odd := (start-end)%2 != 0
	for cost := 1; ; cost++ {
		if x, y, met := d.step(r, start, end, cost, odd); met {
			return x, y
		}
		if x, y, met := d.stepBack(r, start, end, cost, !odd); met {
			return x, y
		}
		if cost >= maxCost {
			return d.furthest(r, start, cost)
		}
	}
}

// unreached is where a search is on a diagonal that it cannot be on yet.
const unreached = math.MinInt / 2

// has says whether the point x of diagonal k is in the box.
func (r box) has(x, k int) bool { return r.a0 <= x && x <= r.a1 && r.b0 <= x-k && x-k <= r.b1 }

// diagonals are those that a search has reached after cost steps from diagonal center, within the box.
func (r box) diagonals(center, cost int) (lowest, highest int) {
	lowest, highest = center-cost, center+cost
	if low := r.a0 - r.b1; lowest < low {
		lowest = low + (low-lowest)%2
	}
	if high := r.a1 - r.b0; highest > high {
		highest = high - (highest-high)%2
	}
	return lowest, highest
}

// step goes one more difference on from the start, on each diagonal that it can be on. The searches meet on a diagonal
// that both have reached.
func (d *differ) step(r box, start, end, cost int, mayMeet bool) (x, y int, met bool) {
	v := d.forward
	before, beyond := r.diagonals(start, cost-1)
	lowBack, highBack := r.diagonals(end, cost-1)
	lowest, highest := r.diagonals(start, cost)
	for k := highest; k >= lowest; k -= 2 {
		x := unreached
		if k-1 >= before && r.has(v[d.zero+k-1]+1, k) {
			x = v[d.zero+k-1] + 1 // to the right: a line of a goes
		}
		if k+1 <= beyond && r.has(v[d.zero+k+1], k) {
			x = max(x, v[d.zero+k+1]) // down: a line of b comes
		}
		for x >= 0 && x < r.a1 && x-k < r.b1 && d.a[x] == d.b[x-k] {
			x++
		}
		v[d.zero+k] = x
		if mayMeet && x >= 0 && lowBack <= k && k <= highBack && d.backward[d.zero+k] <= x {
			return x, x - k, true
		}
	}
	return 0, 0, false
}

// stepBack is step from the end.
func (d *differ) stepBack(r box, start, end, cost int, mayMeet bool) (x, y int, met bool) {
	v := d.backward
	before, beyond := r.diagonals(end, cost-1)
	lowFront, highFront := r.diagonals(start, cost)
	lowest, highest := r.diagonals(end, cost)
	for k := highest; k >= lowest; k -= 2 {
		x := -unreached
		if k+1 <= beyond && r.has(v[d.zero+k+1]-1, k) {
			x = v[d.zero+k+1] - 1
		}
		if k-1 >= before && r.has(v[d.zero+k-1], k) {
			x = min(x, v[d.zero+k-1])
		}
		for x <= r.a1 && x > r.a0 && x-k > r.b0 && d.a[x-1] == d.b[x-k-1] {
			x--
		}
		v[d.zero+k] = x
		if mayMeet && x <= r.a1 && lowFront <= k && k <= highFront && x <= d.forward[d.zero+k] {
			return x, x - k, true
		}
	}
	return 0, 0, false
}

// furthest is the point that the search from the start has come furthest to.
func (d *differ) furthest(r box, start, cost int) (x, y int) {
	x, y = r.a0, r.b0
	lowest, highest := r.diagonals(start, cost)
	for k := lowest; k <= highest; k += 2 {
		if at := d.forward[d.zero+k]; at >= 0 && at+at-k > x+y {
			x, y = at, at-k
		}
	}
	return x, y
}
