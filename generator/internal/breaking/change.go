package breaking

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Level is what a change breaks.
type Level string

// The levels.
const (
	Compatible Level = "compatible" // programs built before go on working, and source goes on compiling
	Source     Level = "source"     // the wire is as it was, but source that uses the contract has to change
	Wire       Level = "wire"       // plugins or hosts built before misunderstand what is sent, or cannot be called
)

// Change is one difference between two states of a contract.
type Change struct {
	Rule  string // stable, such as "field-type"
	Level Level
	// File, Line and Column say where, in the new state; File is relative to the contract's folder. What is gone is where it was missed.
	File         string
	Line, Column int
	Where        string // such as "GreeterGreetRequest.name"
	Why, Hint    string // Hint may be empty
}

// Rule is what changes are classified by. The ids never get another meaning.
type Rule struct {
	ID    string
	Level Level
}

// The rules.
//
//nolint:gochecknoglobals // a table of constants
var (
	packageChanged        = Rule{"package-changed", Wire}
	contractRemoved       = Rule{"contract-removed", Wire}
	contractAdded         = Rule{"contract-added", Compatible}
	serviceRemoved        = Rule{"service-removed", Wire}
	serviceRenamed        = Rule{"service-renamed", Wire}
	serviceAdded          = Rule{"service-added", Compatible}
	methodRemoved         = Rule{"method-removed", Wire}
	methodRequest         = Rule{"method-request", Wire}
	methodResponse        = Rule{"method-response", Wire}
	methodStreaming       = Rule{"method-streaming", Wire}
	methodAdded           = Rule{"method-added", Compatible}
	messageRemoved        = Rule{"message-removed", Wire}
	messageAdded          = Rule{"message-added", Compatible}
	parameterRemoved      = Rule{"parameter-removed", Wire}
	fieldUnreserved       = Rule{"field-removed-unreserved", Wire}
	fieldRenumbered       = Rule{"field-renumbered", Wire}
	fieldType             = Rule{"field-type", Wire}
	fieldCardinality      = Rule{"field-cardinality", Wire}
	fieldOneof            = Rule{"field-oneof", Wire}
	fieldReusesNumber     = Rule{"field-reuses-number", Wire}
	fieldAdded            = Rule{"field-added", Compatible}
	fieldRemoved          = Rule{"field-removed", Compatible}
	fieldRenamed          = Rule{"field-renamed", Compatible}
	fieldPresence         = Rule{"field-presence", Compatible}
	fieldEncoding         = Rule{"field-encoding", Compatible}
	reservedRemoved       = Rule{"reserved-removed", Wire}
	enumClosed            = Rule{"enum-closed", Wire}
	enumValueUnreserved   = Rule{"enum-value-removed-unreserved", Wire}
	enumValueRenumbered   = Rule{"enum-value-renumbered", Wire}
	enumValueReusesNumber = Rule{"enum-value-reuses-number", Wire}
	enumRemoved           = Rule{"enum-removed", Compatible}
	enumAdded             = Rule{"enum-added", Compatible}
	enumValueAdded        = Rule{"enum-value-added", Compatible}
	enumValueRemoved      = Rule{"enum-value-removed", Compatible}
	enumValueRenamed      = Rule{"enum-value-renamed", Compatible}
	goInterfaceRemoved    = Rule{"go-interface-removed", Source}
	goMethodSignature     = Rule{"go-method-signature", Source}
	goParametersReordered = Rule{"go-parameters-reordered", Source}
	goEmbeddedInterfaces  = Rule{"go-embedded-interfaces", Source}
	goStructField         = Rule{"go-struct-field", Source}
	goParameterRenamed    = Rule{"go-parameter-renamed", Compatible}
)

// Rules are all rules, sorted by level, the worst first, then by ID.
func Rules() []Rule {
	rules := []Rule{
		packageChanged, contractRemoved, contractAdded, serviceRemoved, serviceRenamed, serviceAdded,
		methodRemoved, methodRequest, methodResponse, methodStreaming, methodAdded, messageRemoved, messageAdded,
		parameterRemoved, fieldUnreserved, fieldRenumbered, fieldType, fieldCardinality, fieldOneof, fieldReusesNumber,
		fieldAdded, fieldRemoved, fieldRenamed, fieldPresence, fieldEncoding, reservedRemoved,
		enumClosed, enumValueUnreserved, enumValueRenumbered, enumValueReusesNumber,
		enumRemoved, enumAdded, enumValueAdded, enumValueRemoved, enumValueRenamed,
		goInterfaceRemoved, goMethodSignature, goParametersReordered, goEmbeddedInterfaces, goStructField, goParameterRenamed,
	}
	slices.SortFunc(rules, func(a, b Rule) int { return cmp.Or(badness(b.Level)-badness(a.Level), cmp.Compare(a.ID, b.ID)) })
	return rules
}

func badness(l Level) int {
	switch l {
	case Wire:
		return 2
	case Source:
		return 1
	default:
		return 0
	}
}

// comparison gathers changes.
type comparison struct {
	oldPackage, newPackage protoreflect.FullName
	oldFile, newFile       protoreflect.FileDescriptor
	oldCalls, newCalls     map[string]bool // messages of parameters and results
	changes                []Change
}

// at reports a change at the place of d, which is in the new file.
func (c *comparison) at(r Rule, d protoreflect.Descriptor, where, why, hint string) {
	change := Change{Rule: r.ID, Level: r.Level, File: c.newFile.Path(), Where: where, Why: why, Hint: hint}
	if loc := c.newFile.SourceLocations().ByDescriptor(d); loc.Path != nil {
		change.Line, change.Column = loc.StartLine+1, loc.StartColumn+1
	}
	c.changes = append(c.changes, change)
}

// sorted is by position, so that a message's changes are together.
func sorted(changes []Change) []Change {
	slices.SortStableFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, badness(b.Level)-badness(a.Level), cmp.Compare(a.Where, b.Where), cmp.Compare(a.Rule, b.Rule))
	})
	return changes
}
