package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestQuantile(t *testing.T) {
	tests := []struct {
		name   string
		values []float64
		q      float64
		want   float64
	}{
		{"one", []float64{3}, 0.9, 3},
		{"odd", []float64{3, 1, 2}, 0.5, 2},
		{"even lies between", []float64{4, 1, 2, 3}, 0.5, 2.5},
		{"smallest", []float64{4, 1, 2}, 0, 1},
		{"largest", []float64{4, 1, 2}, 1, 4},
		{"quartile", []float64{1, 2, 3, 4, 5}, 0.25, 2},
		{"interpolated", []float64{0, 10}, 0.99, 9.9},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(tt.values)
			if got := Quantile(tt.values, tt.q); math.Abs(got-tt.want) > 1e-9 {
				t.Errorf("Quantile(%v, %v) = %v, want %v", tt.values, tt.q, got, tt.want)
			}
			if !slices.Equal(before, tt.values) {
				t.Errorf("the values were changed to %v", tt.values)
			}
		})
	}
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("Median(nil) = %v, want NaN", got)
	}
}

func TestRatiosCompareWithinRounds(t *testing.T) {
	// The machine slows down tenfold in round 1; both slow down alike.
	of := map[int]float64{0: 1, 1: 10, 2: 2, 3: 7}
	by := map[int]float64{0: 2, 1: 20, 2: 4, 4: 9, 5: 0}
	got := Ratios(of, by)
	if want := []float64{0.5, 0.5, 0.5}; !slices.Equal(got, want) {
		t.Errorf("Ratios = %v, want %v", got, want)
	}
}

func TestRatiosLeaveZeroOut(t *testing.T) {
	if got := Ratios(map[int]float64{0: 1, 1: 0}, map[int]float64{0: 0, 1: 1}); len(got) != 0 {
		t.Errorf("Ratios = %v, want none", got)
	}
}

func TestJudge(t *testing.T) {
	tests := []struct {
		name   string
		ratios []float64
		want   Verdict
	}{
		{"nothing", nil, Noise},
		{"two rounds", []float64{0.5, 0.5}, Noise},
		{"agreeing", []float64{0.5, 0.52, 0.48, 0.5}, Stated},
		{"agreeing on no difference", []float64{1, 1.05, 0.95}, Stated},
		{"wide, all below", []float64{0.1, 0.2, 0.4, 0.8}, Below},
		{"wide, all above", []float64{2, 4, 8, 16}, Above},
		{"wide, on both sides", []float64{0.3, 0.9, 1.5, 3}, Noise},
		{"wide, hardly below", []float64{0.3, 0.6, 0.95, 0.99}, Noise},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Summarise(tt.ratios).Judge(); got != tt.want {
				t.Errorf("%+v is judged %d, want %d", Summarise(tt.ratios), got, tt.want)
			}
		})
	}
}

// TestNoiseIsNotReported: two equal contestants on a machine that is three times slower now and then. Hardly ever may one of
// them be called clearly better.
func TestNoiseIsNotReported(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	sample := func() map[int]float64 {
		values := map[int]float64{}
		for round := range 7 {
			values[round] = 1 + 2*random.Float64()
		}
		return values
	}
	wrong := 0
	for range 1000 {
		s := Summarise(Ratios(sample(), sample()))
		verdict := s.Judge()
		stated := verdict == Stated && (s.Median < 0.6 || s.Median > 1.7)
		if verdict == Below || verdict == Above || stated {
			wrong++
		}
	}
	if wrong > 50 {
		t.Errorf("%d of 1000 comparisons of equals were called clear", wrong)
	}
}
