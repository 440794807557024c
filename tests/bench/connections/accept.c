/* Accepts every packet of a queue, by libnetfilter_queue: argv[1] is the queue's number. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <libnetfilter_queue/libnetfilter_queue.h>

static int accept_packet(struct nfq_q_handle *queue, struct nfgenmsg *message, struct nfq_data *data, void *unused)
{
    struct nfqnl_msg_packet_hdr *header = nfq_get_msg_packet_hdr(data);

    (void)message;
    (void)unused;
    return header ? nfq_set_verdict(queue, ntohl(header->packet_id), NF_ACCEPT, 0, NULL) : 0;
}

int main(int argc, char **argv)
{
    char buffer[65536] __attribute__((aligned));
    struct nfq_handle *handle = nfq_open();
    struct nfq_q_handle *queue;

    if (argc != 2 || !handle)
        return 1;
    queue = nfq_create_queue(handle, (uint16_t)atoi(argv[1]), accept_packet, NULL);
    /* As much of each packet as decider has copied, and as many that wait. */
    if (!queue || nfq_set_mode(queue, NFQNL_COPY_PACKET, 128) < 0 || nfq_set_queue_maxlen(queue, 16384) < 0) {
        perror("accept");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        ssize_t length = recv(nfq_fd(handle), buffer, sizeof buffer, 0);

        if (length >= 0)
            nfq_handle_packet(handle, buffer, (int)length);
        else if (errno != ENOBUFS && errno != EINTR)
            return 1;
    }
}
