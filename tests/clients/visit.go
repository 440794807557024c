// Looks names up in turn with Go's own resolver and connects to each; as visit.c.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

func visit(name, port string, v6 bool) (string, error) {
	addresses, err := (&net.Resolver{PreferGo: true}).LookupIPAddr(context.Background(), name)
	if err != nil {
		return "", err
	}
	for _, address := range addresses {
		if (address.IP.To4() == nil) == v6 {
			return hear(net.JoinHostPort(address.String(), port))
		}
	}
	return "no address of that family", nil
}

func hear(to string) (string, error) {
	connection, err := net.Dial("tcp", to)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	said, err := io.ReadAll(connection)
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	return lines[len(lines)-1], err
}

func main() {
	times, _ := strconv.Atoi(os.Args[3])
	pause, _ := strconv.Atoi(os.Args[4])
	names := os.Args[5:]
	for i := 0; i < times; i++ {
		name := names[i%len(names)]
		said, err := visit(name, os.Args[2], os.Args[1] == "6")
		if err != nil {
			said = err.Error()
		}
		fmt.Println(name, said)
		time.Sleep(time.Duration(pause) * time.Millisecond)
	}
}
