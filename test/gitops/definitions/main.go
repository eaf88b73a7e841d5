// Judges objects by CustomResourceDefinitions, with the code of the API server: unknown fields, types, required fields, enums
// and rules. The files of the definitions are the arguments; objects come as a JSON list on standard input, and a list of
// problems for each goes to standard output. An object of a kind without a definition has that as its problem.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

type definition struct {
	structural *schema.Structural
	types      validation.SchemaValidator
	rules      *cel.Validator
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(files []string) error {
	definitions := map[string]definition{}
	for _, file := range files {
		if err := read(file, definitions); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	objects, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	list := unstructured.UnstructuredList{}
	if err := list.UnmarshalJSON(fmt.Appendf(nil, `{"apiVersion":"v1","kind":"List","items":%s}`, objects)); err != nil {
		return err
	}
	answers := make([][]string, len(list.Items))
	for index, object := range list.Items {
		kind := object.GetAPIVersion() + " " + object.GetKind()
		if known, ok := definitions[kind]; ok {
			answers[index] = known.problems(object.Object)
		} else {
			answers[index] = []string{"there is no definition of " + kind}
		}
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

func read(file string, into map[string]definition) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return err
	}
	for _, version := range crd.Spec.Versions {
		var props apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &props, nil); err != nil {
			return err
		}
		structural, err := schema.NewStructural(&props)
		if err != nil {
			return err
		}
		types, _, err := validation.NewSchemaValidator(&props)
		if err != nil {
			return err
		}
		rules := cel.NewValidator(structural, true, celconfig.PerCallLimit)
		into[crd.Spec.Group+"/"+version.Name+" "+crd.Spec.Names.Kind] = definition{structural, types, rules}
	}
	return nil
}

func (by definition) problems(object map[string]any) []string {
	found := []string{}
	tracked := schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	unknown := pruning.PruneWithOptions(object, by.structural, true, tracked)
	_, _, unknownMeta, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		found = append(found, err.Error())
	}
	for _, path := range append(unknown, unknownMeta...) {
		found = append(found, path+": there is no such field")
	}
	defaulting.Default(object, by.structural)
	wrong := validation.ValidateCustomResource(nil, object, by.types)
	broken, _ := by.rules.Validate(context.Background(), nil, by.structural, object, nil, celconfig.RuntimeCELCostBudget)
	for _, each := range append(wrong, broken...) {
		found = append(found, each.Error())
	}
	// fields of an object come in any order
	slices.Sort(found)
	return found
}
