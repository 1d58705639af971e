// Package stats says what a set of samples has in common, and when it has too little in common to say anything.
package stats

import (
	"math"
	"slices"
)

// Quantile is the value below which the fraction q of the values lies, interpolated between neighbours; NaN without values.
// It sorts nothing of the caller's.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// Median is the quantile of one half.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Summary is a median with its quartiles.
type Summary struct {
	Low, Median, High float64
	N                 int
}

// Summarise takes the quartiles of values.
func Summarise(values []float64) Summary {
	return Summary{Quantile(values, 0.25), Median(values), Quantile(values, 0.75), len(values)}
}

// Ratios divides what two contestants got in the same round; a round that one of them misses, or in which the divisor is zero,
// is left out. Rounds are keys because the machine drifts: only what was measured side by side is compared.
func Ratios(of, by map[int]float64) []float64 {
	var ratios []float64
	for round, value := range of {
		if divisor := by[round]; divisor > 0 && value > 0 {
			ratios = append(ratios, value/divisor)
		}
	}
	return ratios
}
