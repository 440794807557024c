/* Looks names up in turn and connects to each: prints the name, and the last line that the server said or what failed.
 *
 * usage: visit FAMILY PORT TIMES PAUSE_MS NAME... */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What is there to print; in buffer if it is the server's. */
static const char *visit(const char *name, const char *port, int family, char *buffer, size_t size) {
    /* Of any family: A and AAAA are asked for at once, from one socket. */
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found, *address;
    int failed = getaddrinfo(name, port, &hints, &found);
    if (failed) return gai_strerror(failed);
    for (address = found; address && address->ai_family != family; address = address->ai_next);
    const char *said = "no address of that family";
    int fd = address ? socket(family, SOCK_STREAM, 0) : -1;
    if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
        size_t length = 0;
        ssize_t more;
        while ((more = read(fd, buffer + length, size - 1 - length)) > 0) length += more;
        while (length > 0 && buffer[length - 1] == '\n') length--;
        buffer[length] = 0;
        char *line = strrchr(buffer, '\n');
        said = more < 0 ? strerror(errno) : line ? line + 1 : buffer;
    } else if (address) {
        said = strerror(errno);
    }
    if (fd >= 0) close(fd);
    freeaddrinfo(found);
    return said;
}

int main(int count, char **args) {
    if (count < 6) return 2;
    int family = args[1][0] == '6' ? AF_INET6 : AF_INET;
    long times = atol(args[3]), pause = atol(args[4]);
    for (long i = 0; i < times; i++) {
        char buffer[512];
        const char *name = args[5 + i % (count - 5)];
        printf("%s %s\n", name, visit(name, args[2], family, buffer, sizeof buffer));
        nanosleep(&(struct timespec){pause / 1000, pause % 1000 * 1000000}, NULL);
    }
}
