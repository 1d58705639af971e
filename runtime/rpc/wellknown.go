package rpc

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Time is the time that m says. An error has codes.OutOfRange: protobuf knows the years 1 to 9999.
func Time(m *timestamppb.Timestamp) (time.Time, error) {
	if err := m.CheckValid(); err != nil {
		return time.Time{}, status.Error(codes.OutOfRange, err.Error())
	}
	return m.AsTime(), nil
}

// Duration is the duration that m says. An error has codes.OutOfRange: those of protobuf reach 10,000 years, those of Go 292.
func Duration(m *durationpb.Duration) (time.Duration, error) {
	if err := m.CheckValid(); err != nil {
		return 0, status.Error(codes.OutOfRange, err.Error())
	}
	d := m.AsDuration()
	if back := durationpb.New(d); back.GetSeconds() != m.GetSeconds() || back.GetNanos() != m.GetNanos() {
		return 0, status.Errorf(codes.OutOfRange, "%d seconds overflow time.Duration", m.GetSeconds())
	}
	return d, nil
}
