package render

import (
	"regexp"
	"strings"
)

// actions are the parts of a name that depend on data.
var actions = regexp.MustCompile(`\{\{.*?\}\}`)

const (
	suffix = ".tmpl"
	// dot stands for the leading dot of a name: go:embed and module archives drop or dislike some that start with one.
	dot = "dot_"
)

// renderName turns a template's path into its file's: each part is rendered by itself, dot_ becomes a dot, and .tmpl is
// dropped. It returns "" when a part renders to nothing. shown is the template in errors.
func renderName(shown, name string, data any) (string, error) {
	parts := strings.Split(strings.TrimSuffix(name, suffix), "/")
	for i, part := range parts {
		rendered, err := renderPart(shown, part, data)
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

func renderPart(shown, part string, data any) (string, error) {
	if !strings.Contains(part, "{{") {
		return part, nil
	}
	t, err := newTemplate(shown, "").Parse(part)
	if err != nil {
		return "", &Error{Template: shown, Err: locate(shown, "", err).Err}
	}
	guardAll(t, nil)
	var b limited
	if err := t.Execute(&b, data); err != nil {
		return "", &Error{Template: shown, Err: locate(shown, "", err).Err}
	}
	return b.String(), nil
}
