// Package model is what templates see of a contract: its interfaces, their methods and types, and how these travel.
//
// Values are filled by the generator and only read afterwards; reading them may happen concurrently, an [ImportSet] excepted.
package model
