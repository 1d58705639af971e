package stats

// Verdict says how much a summary of ratios is worth.
type Verdict int

// Verdicts.
const (
	Noise  Verdict = iota // nothing can be said
	Below                 // below High for certain, how far is not clear
	Above                 // above Low for certain
	Stated                // the median may be stated
)

const (
	minRounds = 3    // fewer ratios are an anecdote
	maxSpread = 1.6  // of the quartiles, up to which a median is worth stating
	margin    = 1.15 // an ordering nearer to 1 than this means nothing
)

// Judge says whether the noise leaves anything of a ratio.
func (s Summary) Judge() Verdict {
	switch {
	case s.N < minRounds || !(s.Low > 0):
		return Noise
	case s.High <= maxSpread*s.Low:
		return Stated
	case s.High < 1/margin:
		return Below
	case s.Low > margin:
		return Above
	default:
		return Noise
	}
}
