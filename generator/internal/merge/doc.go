// Package merge brings together what two people made of one file, without losing what either of them did.
package merge
