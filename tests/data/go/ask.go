package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"time"
)

type C struct {
	K string
	A []string
}

func n(s string) float64 { f, _ := strconv.ParseFloat(s, 64); return f }
func run(c C) (out any) {
	defer func() {
		if r := recover(); r != nil {
			out = "ERR"
		}
	}()
	a := c.A
	switch c.K {
	case "match":
		r := regexp.MustCompile(a[0])
		o := [][]string{}
		for _, m := range r.FindAllStringSubmatch(a[1], -1) {
			o = append(o, m)
		}
		return o
	case "findall":
		r := regexp.MustCompile(a[0])
		o := []string{}
		o = append(o, r.FindAllString(a[1], -1)...)
		return o
	case "split":
		r := regexp.MustCompile(a[0])
		k, _ := strconv.Atoi(a[2])
		if k == 0 {
			k = -1
		}
		return r.Split(a[1], k)
	case "sub":
		r := regexp.MustCompile(a[0])
		return r.ReplaceAllString(a[2], a[1])
	case "dur":
		d, err := time.ParseDuration(a[0])
		if err != nil {
			return "ERR " + err.Error()
		}
		return []string{fmt.Sprint(int64(d)), d.String()}
	case "fmt":
		s, _ := strconv.ParseInt(a[0], 10, 64)
		ns, _ := strconv.ParseInt(a[1], 10, 64)
		l, err := time.LoadLocation(a[2])
		if err != nil {
			return "ERR"
		}
		return time.Unix(s, ns).In(l).Format(a[3])
	case "parse":
		l, err := time.LoadLocation(a[2])
		if err != nil {
			return "ERR"
		}
		t, err := time.ParseInLocation(a[1], a[0], l)
		if err != nil {
			return "ERR " + err.Error()
		}
		return t.String()
	case "date":
		l, _ := time.LoadLocation(a[0])
		v := []int{}
		for _, x := range a[1:] {
			i, _ := strconv.Atoi(x)
			v = append(v, i)
		}
		return time.Date(v[0], time.Month(v[1]), v[2], v[3], v[4], v[5], v[6], l).String()
	case "math":
		x := n(a[1])
		y := 0.0
		if len(a) > 2 {
			y = n(a[2])
		}
		var r float64
		switch a[0] {
		case "mod":
			r = math.Mod(x, y)
		case "pow":
			r = math.Pow(x, y)
		case "remainder":
			r = math.Remainder(x, y)
		case "round":
			r = math.Round(x)
		case "exp":
			r = math.Exp(x)
		case "sqrt":
			r = math.Sqrt(x)
		case "gamma":
			r = math.Gamma(x)
		case "sinh":
			r = math.Sinh(x)
		case "cosh":
			r = math.Cosh(x)
		case "atanh":
			r = math.Atanh(x)
		case "acosh":
			r = math.Acosh(x)
		case "acos":
			r = math.Acos(x)
		case "log":
			r = math.Log(x) / math.Log(y)
		case "hypot":
			r = math.Hypot(x, y)
		case "atan2":
			r = math.Atan2(x, y)
		case "tan":
			r = math.Tan(x)
		case "copysign":
			r = math.Copysign(x, y)
		}
		return fmt.Sprint(r)
	}
	return nil
}
func main() {
	var cs []C
	json.NewDecoder(os.Stdin).Decode(&cs)
	o := []any{}
	for _, c := range cs {
		o = append(o, run(c))
	}
	json.NewEncoder(os.Stdout).Encode(o)
}
