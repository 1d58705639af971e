package schema

import (
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator/model"
)

// contract has one method with one string parameter.
func contract() *model.Contract {
	m := &model.Method{Name: "Do", HasError: true, Params: []*model.Param{{Name: "text", Type: &model.Type{Kind: model.String}}}}
	return &model.Contract{
		Package:  model.Package{Path: "example.com/c", Name: "c"},
		Services: []*model.Service{{Name: "I", Methods: []*model.Method{m}}},
	}
}

func TestEarlierFilesThatAreWrong(t *testing.T) {
	for _, text := range []string{
		"", "\x00", "syntax = \"proto9\";", "edition = \"2023\"; message A { string a = 1; string b = 1; }", "message {", "edition = \"2023\"; package 1;",
		strings.Repeat("message A {", 1000),
	} {
		c := contract()
		if _, err := Lay(c, []byte(text)); err == nil && text != "" {
			if len(c.Wire.Messages) == 0 {
				t.Errorf("%.40q: neither messages nor an error", text)
			}
		}
	}
}

func TestNumbersRunOut(t *testing.T) {
	_, err := Lay(contract(), []byte("edition = \"2023\"; message IDoRequest { reserved 1 to max; }"))
	if err == nil || !strings.Contains(err.Error(), "IDoRequest: no field number is left: reserve fewer numbers [PG0041]") {
		t.Errorf("got %v", err)
	}
}

func TestNumbersSkipWhatProtobufKeeps(t *testing.T) {
	for reserved, want := range map[string]int{
		"1 to 18999": 20000, "19500 to 20005": 20006, "2 to max": 1, "536870911": 1, "536870910": 1, "536870909": 536870910, "1, 5 to max": 2, "7": 8,
	} {
		c := contract()
		if _, err := Lay(c, []byte("edition = \"2023\"; message IDoRequest { reserved "+reserved+"; }")); err != nil {
			t.Errorf("reserved %s: %v", reserved, err)
			continue
		}
		if got := c.Services[0].Methods[0].Request.Fields[0].Number; got != want {
			t.Errorf("reserved %s: got number %d, want %d", reserved, got, want)
		}
	}
}

func TestUnnamedPackageIsDerived(t *testing.T) {
	c := contract()
	if _, err := Lay(c, []byte("edition = \"2023\";")); err != nil {
		t.Fatal(err)
	}
	if c.Wire.Package != "example_com.c" || c.Services[0].WireName != "example_com.c.I" {
		t.Errorf("got %s, %s", c.Wire.Package, c.Services[0].WireName)
	}
}

// TestMessagesKeepTheirMethods has two methods whose messages would like the same names, asked for in either order.
func TestMessagesKeepTheirMethods(t *testing.T) {
	two := func(order ...string) *model.Contract {
		c := contract()
		c.Services = nil
		for _, name := range order {
			method := map[string]string{"A": "BC", "AB": "C"}[name]
			c.Services = append(c.Services, &model.Service{Name: name, Methods: []*model.Method{{Name: method}}})
		}
		return c
	}
	first := two("AB", "A")
	if _, err := Lay(first, nil); err != nil {
		t.Fatal(err)
	}
	for _, again := range []*model.Contract{two("A", "AB"), two("AB", "A"), two("AB")} {
		if _, err := Lay(again, Print(first)); err != nil {
			t.Fatal(err)
		}
		for _, s := range again.Services {
			want := map[string]string{"A": "ABCRequest", "AB": "ABCRequest_2"}[s.Name]
			if got := s.Methods[0].Request.Name; got != want {
				t.Errorf("%s: got %s, want %s", s.Name, got, want)
			}
		}
	}
}
