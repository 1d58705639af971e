// Package rpc is what code links that was generated from the services of a .proto: plain gRPC calls and streams, as methods of
// Go interfaces.
//
// A stream is an iter.Seq2[*M, error] on both sides: messages until it ends, or an error, which is the last that it gives.
// It is for one loop. Values and Channel make one of messages that are there, or that come.
//
//	for reply, err := range watcher.Watch(ctx, &pb.WatchRequest{}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(reply)
//	}
//
// Leaving the loop ends the stream, and the other side's context with it.
//
// Errors are those of gRPC: what an implementation returns arrives as a status, see status.FromError and status.Code. An error
// that is none arrives as codes.Unknown with its text, context.Canceled and context.DeadlineExceeded as the codes of
// these names.
package rpc
