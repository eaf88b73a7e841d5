// What Argo CD and Flux make of objects: Argo CD by running a health check in the Lua that it embeds, Flux by the kstatus
// library that it waits with. Objects come as a JSON list on standard input, answers go as one to standard output.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type answer struct {
	Argo    verdict `json:"argo"`
	Kstatus verdict `json:"kstatus"`
}

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(scriptFile string) error {
	script, err := os.ReadFile(scriptFile)
	if err != nil {
		return err
	}
	var objects []map[string]any
	if err := json.NewDecoder(os.Stdin).Decode(&objects); err != nil {
		return err
	}
	answers := []answer{}
	for _, object := range objects {
		argo, err := health(string(script), object)
		if err != nil {
			return err
		}
		result, err := status.Compute(&unstructured.Unstructured{Object: integers(object).(map[string]any)})
		if err != nil {
			return err
		}
		answers = append(answers, answer{argo, verdict{string(result.Status), result.Message}})
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

// Argo CD opens these libraries and no others for a check of its users: there is no string library.
// Source: argo-cd, util/lua/lua.go, 3.2.
func health(script string, object map[string]any) (verdict, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return verdict{}, err
		}
	}
	state.SetGlobal("obj", value(state, object))
	if err := state.DoString(script); err != nil {
		return verdict{}, err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return verdict{}, fmt.Errorf("the health check gave a %s and no table", state.Get(-1).Type())
	}
	return verdict{table.RawGetString("status").String(), table.RawGetString("message").String()}, nil
}

func value(state *lua.LState, from any) lua.LValue {
	switch from := from.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, entry := range from {
			table.RawSetString(key, value(state, entry))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, entry := range from {
			table.Append(value(state, entry))
		}
		return table
	case string:
		return lua.LString(from)
	case float64:
		return lua.LNumber(from)
	case bool:
		return lua.LBool(from)
	default:
		return lua.LNil
	}
}

// As the API machinery decodes objects: whole numbers are no floats.
func integers(from any) any {
	switch from := from.(type) {
	case map[string]any:
		for key, entry := range from {
			from[key] = integers(entry)
		}
	case []any:
		for index, entry := range from {
			from[index] = integers(entry)
		}
	case float64:
		if from == float64(int64(from)) {
			return int64(from)
		}
	}
	return from
}
