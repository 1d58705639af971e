package render

import (
	"strings"
	"text/template"
)

const (
	suffix = ".tmpl"
	// dot stands for the leading dot of a name: go:embed and module archives drop or dislike some that start with one.
	dot = "dot_"
)

// renderName turns a template's path into its file's: each part is rendered by itself, dot_ becomes a dot, and .tmpl is
// dropped. It returns "" when a part renders to nothing.
func renderName(name string, data any) (string, error) {
	parts := strings.Split(strings.TrimSuffix(name, suffix), "/")
	for i, part := range parts {
		rendered, err := renderPart(name, part, data)
		if err != nil || rendered == "" {
			return "", err
		}
		if rest, found := strings.CutPrefix(rendered, dot); found {
			rendered = "." + rest
		}
		parts[i] = rendered
	}
	return strings.Join(parts, "/"), nil
}

func renderPart(name, part string, data any) (string, error) {
	if !strings.Contains(part, "{{") {
		return part, nil
	}
	t, err := template.New(name).Option("missingkey=error").Funcs(functions()).Parse(part)
	if err != nil {
		return "", &Error{Template: name, Err: err}
	}
	var b limited
	if err := t.Execute(&b, data); err != nil {
		return "", &Error{Template: name, Err: err}
	}
	return b.String(), nil
}
