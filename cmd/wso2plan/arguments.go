package main

import (
	"fmt"

	"github.com/urfave/cli/v3"

	"wso2plan/config"
)

// takes checks the number of arguments that follow a command's flags.
func takes(cmd *cli.Command, least, most int) error {
	n := cmd.Args().Len()
	switch {
	case n < least && least == most:
		return fmt.Errorf("%s takes %s, %d given", cmd.FullName(), plural(least, "argument"), n)
	case n < least:
		return fmt.Errorf("%s takes at least %s, %d given", cmd.FullName(), plural(least, "argument"), n)
	case most >= 0 && n > most && most == 0:
		return fmt.Errorf("%s takes no arguments, and %q was given", cmd.FullName(), cmd.Args().First())
	case most >= 0 && n > most:
		return fmt.Errorf("%s takes at most %s, %d given", cmd.FullName(), plural(most, "argument"), n)
	}
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// addresses reads the values of a flag such as -target.
func addresses(flag string, values []string) ([]config.Address, error) {
	var all []config.Address
	for _, v := range values {
		a, err := config.ParseAddress(v)
		if err != nil {
			return nil, fmt.Errorf("-%s: %w", flag, err)
		}
		all = append(all, a)
	}
	return all, nil
}
