/* A wire of a given length between two network namespaces, where the kernel has no netem.
 *
 *   wire NAMESPACE_FD NAME NAMESPACE_FD NAME DELAY_US RATE_ONE_TO_TWO RATE_TWO_TO_ONE QUEUE
 *
 * It makes a TUN device NAME in each of the two namespaces and carries packets from one to the other: each waits
 * until the ones before it have gone out at RATE (bytes a second, 0: at once), and then DELAY_US microseconds more.
 * What does not fit into QUEUE bytes is dropped, as a router does. The devices take segments of up to 64 KiB whole
 * (TUN_F_TSO4), so that the kernel's own TCP runs over them at little cost: its handshakes, slow start and
 * acknowledgements are real. It prints "up" once the devices are there and ends with its standard input. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LARGEST (65536 + sizeof(struct virtio_net_hdr))
#define BURST 64 /* packets of one direction before the other is looked at */

struct packet {
    struct packet *next;
    uint64_t due; /* nanoseconds */
    size_t length;
    char data[];
};

struct direction {
    int from, to;
    double rate; /* bytes a second, 0: not limited */
    uint64_t free; /* when the line has sent all that went before */
    uint64_t waiting; /* bytes in the queue */
    struct packet *first, *last;
};

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void give_up(const char *what) {
    perror(what);
    exit(1);
}

static int device(int namespace, const char *name) {
    struct ifreq request = {0};
    int header = sizeof(struct virtio_net_hdr), tun;
    if (setns(namespace, CLONE_NEWNET)) give_up("setns");
    tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    if (tun < 0) give_up("/dev/net/tun");
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    if (ioctl(tun, TUNSETIFF, &request)) give_up("TUNSETIFF");
    if (ioctl(tun, TUNSETVNETHDRSZ, &header)) give_up("TUNSETVNETHDRSZ");
    if (ioctl(tun, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4)) give_up("TUNSETOFFLOAD");
    return tun;
}

static void take(struct direction *way, uint64_t delay, uint64_t queue) {
    static char buffer[LARGEST];
    for (int count = 0; count < BURST; count++) {
        ssize_t length = read(way->from, buffer, sizeof buffer);
        if (length <= 0) return;
        if (way->waiting + (uint64_t)length > queue) continue;
        struct packet *packet = malloc(sizeof *packet + (size_t)length);
        if (!packet) give_up("malloc");
        uint64_t begin = now();
        if (way->free > begin) begin = way->free;
        way->free = begin + (way->rate > 0 ? (uint64_t)((double)length / way->rate * 1e9) : 0);
        packet->due = way->free + delay;
        packet->length = (size_t)length;
        packet->next = NULL;
        memcpy(packet->data, buffer, (size_t)length);
        if (way->last) way->last->next = packet;
        else way->first = packet;
        way->last = packet;
        way->waiting += (uint64_t)length;
    }
}

static void give(struct direction *way) {
    uint64_t time = now();
    while (way->first && way->first->due <= time) {
        struct packet *packet = way->first;
        if (write(way->to, packet->data, packet->length) < 0 && errno == EAGAIN) return;
        way->first = packet->next;
        if (!way->first) way->last = NULL;
        way->waiting -= packet->length;
        free(packet);
    }
}

int main(int count, char **words) {
    if (count != 9) return 2;
    int one = device(atoi(words[1]), words[2]), two = device(atoi(words[3]), words[4]);
    uint64_t delay = strtoull(words[5], NULL, 10) * 1000, queue = strtoull(words[8], NULL, 10);
    struct direction ways[2] = {
        {.from = one, .to = two, .rate = atof(words[6])},
        {.from = two, .to = one, .rate = atof(words[7])},
    };
    puts("up");
    fflush(stdout);
    for (;;) {
        uint64_t due = UINT64_MAX, time;
        for (int at = 0; at < 2; at++) {
            take(&ways[at], delay, queue);
            give(&ways[at]);
            if (ways[at].first && ways[at].first->due < due) due = ways[at].first->due;
        }
        time = now();
        struct timespec wait = {0, 0};
        if (due > time) {
            wait.tv_sec = (time_t)((due - time) / 1000000000u);
            wait.tv_nsec = (long)((due - time) % 1000000000u);
        }
        struct pollfd polled[3] = {{one, POLLIN, 0}, {two, POLLIN, 0}, {0, POLLIN, 0}};
        ppoll(polled, 3, due == UINT64_MAX ? NULL : &wait, NULL);
        if (polled[2].revents) return 0;
    }
}
