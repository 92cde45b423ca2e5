/* The provider that the benchmark's proxies stand in front of: one thread, epoll, HTTP/1.1 with keep-alive.
 * It answers as an OpenAI-compatible chat server does and costs as little as can be. It checks nothing.
 *
 *   POST with "stream":true in the body   51 server-sent events, 10 ms apart
 *   POST to a path that starts with /slow/  the plain answer after 20 ms
 *   POST otherwise                        the plain answer at once
 *   GET /count                            what was sent since the start: requests, chunks
 *   GET otherwise                         an empty list of models
 *
 * usage: upstream PORT      (127.0.0.1 only; runs until it is killed)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 4096, MAX_REQUEST = 1 << 16, EVENTS = 256, CHUNKS = 51 };
static const int64_t CHUNK_GAP_NS = 10 * 1000 * 1000;
static const int64_t SLOW_NS = 20 * 1000 * 1000;

/* What a connection owes its client, and when. */
enum duty { NOTHING, PLAIN_LATER, STREAM };

struct connection {
    int fd;
    enum duty duty;
    int64_t due_ns;
    int chunks_left;
    int busy_place; /* where it stands in `busy`, while it owes something */
    size_t filled;
    char *request;
};

static struct connection *connections[MAX_CONNECTIONS]; /* by file descriptor */
static struct connection *busy[MAX_CONNECTIONS];
static int busy_count;
static uint64_t requests_answered, chunks_sent;
static int poller, timer;

static char plain[4096], chunk[1024], last_chunk[1024];
static size_t plain_size, chunk_size, last_chunk_size;
static const char STREAM_HEAD[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";

static const char ANSWER[] =
    "{\"id\":\"chatcmpl-bench0000000000000000000000\",\"object\":\"chat.completion\",\"created\":1760000000,"
    "\"model\":\"bench-model-2026-01-01\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
    "\"content\":\"A reverse proxy accepts a connection from a client, reads the request, opens or reuses a "
    "connection to an upstream server, forwards the request and relays the answer. What it costs is two reads "
    "and two writes in the kernel, the parsing of two heads, and whatever the proxy adds of its own. Keeping "
    "connections open on both sides saves the handshakes; keeping the body as the bytes it came in saves the "
    "decoding. A router for language models has to look into the body as well: it reads the name of the model, "
    "weighs the prompt, rewrites one field, and counts the tokens of the answer on their way back to whoever asked the question.\","
    "\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
    "\"usage\":{\"prompt_tokens\":243,\"completion_tokens\":128,\"total_tokens\":371,"
    "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
    "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}},"
    "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_bench000000\"}";

#define EVENT_HEAD                                                                                          \
    "data: {\"id\":\"chatcmpl-bench0000000000000000000000\",\"object\":\"chat.completion.chunk\","           \
    "\"created\":1760000000,\"model\":\"bench-model-2026-01-01\",\"system_fingerprint\":\"fp_bench000000\"," \
    "\"choices\":["
static const char EVENT[] =
    EVENT_HEAD "{\"index\":0,\"delta\":{\"content\":\" upstream\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";
static const char LAST_EVENTS[] = EVENT_HEAD
    "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":243,"
    "\"completion_tokens\":50,\"total_tokens\":293}}\n\ndata: [DONE]\n\n";

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void settle(struct connection *connection) {
    if (connection->duty == NOTHING) return;
    connection->duty = NOTHING;
    struct connection *moved = busy[--busy_count];
    busy[connection->busy_place] = moved;
    moved->busy_place = connection->busy_place;
}

static void owe(struct connection *connection, enum duty duty, int64_t after_ns) {
    if (connection->duty == NOTHING) {
        connection->busy_place = busy_count;
        busy[busy_count++] = connection;
    }
    connection->duty = duty;
    connection->due_ns = now_ns() + after_ns;
}

static void drop(struct connection *connection) {
    settle(connection);
    connections[connection->fd] = NULL;
    close(connection->fd);
    free(connection->request);
    free(connection);
}

/* A reader that is too slow for its socket's buffer is dropped: it would falsify the measurement anyway. */
static bool put(struct connection *connection, const char *data, size_t size) {
    if (send(connection->fd, data, size, MSG_NOSIGNAL) == (ssize_t)size) return true;
    drop(connection);
    return false;
}

static bool put_json(struct connection *connection, const char *body) {
    char answer[512];
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        strlen(body), body);
    return put(connection, answer, (size_t)size);
}

static size_t content_length(const char *head, const char *end) {
    for (const char *line = head; line < end; line++) {
        line = memchr(line, '\n', (size_t)(end - line));
        if (!line) break;
        if (strncasecmp(line + 1, "content-length:", 15) == 0) return strtoul(line + 16, NULL, 10);
    }
    return 0;
}

static bool answer(struct connection *connection, const char *path, const char *body, size_t body_size) {
    if (connection->request[0] == 'G') {
        if (strncmp(path, "/count", 6) != 0) return put_json(connection, "{\"object\":\"list\",\"data\":[]}");
        char counts[128];
        snprintf(counts, sizeof counts, "{\"requests\":%lu,\"chunks\":%lu}", requests_answered, chunks_sent);
        return put_json(connection, counts);
    }
    requests_answered++;
    if (memmem(body, body_size, "\"stream\":true", 13) || memmem(body, body_size, "\"stream\": true", 14)) {
        connection->chunks_left = CHUNKS;
        owe(connection, STREAM, CHUNK_GAP_NS);
        return put(connection, STREAM_HEAD, sizeof STREAM_HEAD - 1);
    }
    if (strncmp(path, "/slow/", 6) == 0) {
        owe(connection, PLAIN_LATER, SLOW_NS);
        return true;
    }
    return put(connection, plain, plain_size);
}

static void receive(struct connection *connection) {
    ssize_t got = recv(connection->fd, connection->request + connection->filled,
                       MAX_REQUEST - connection->filled - 1, 0);
    if (got <= 0) {
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        drop(connection);
        return;
    }
    connection->filled += (size_t)got;
    while (connection->filled) {
        char *start = connection->request;
        start[connection->filled] = 0;
        char *head_end = memmem(start, connection->filled, "\r\n\r\n", 4);
        if (!head_end) break;
        size_t body_size = content_length(start, head_end), head_size = (size_t)(head_end - start) + 4;
        if (head_size + body_size >= MAX_REQUEST) {
            drop(connection);
            return;
        }
        if (connection->filled < head_size + body_size) break;
        char *path = memchr(start, ' ', head_size);
        if (!path || !answer(connection, path + 1, start + head_size, body_size)) return;
        connection->filled -= head_size + body_size;
        memmove(start, start + head_size + body_size, connection->filled);
    }
}

static void welcome(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        if (fd >= MAX_CONNECTIONS) {
            close(fd);
            continue;
        }
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct connection *connection = calloc(1, sizeof *connection);
        connection->fd = fd;
        connection->request = malloc(MAX_REQUEST);
        connections[fd] = connection;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
    }
}

static void pay(struct connection *connection) {
    if (connection->duty == PLAIN_LATER) {
        settle(connection);
        put(connection, plain, plain_size);
        return;
    }
    chunks_sent++;
    if (--connection->chunks_left) {
        connection->due_ns += CHUNK_GAP_NS;
        put(connection, chunk, chunk_size);
    } else {
        settle(connection);
        put(connection, last_chunk, last_chunk_size);
    }
}

/* Sends what is due and sets the one timer to the next duty; 0 stops it. */
static void pay_all(void) {
    int64_t now = now_ns(), next = 0;
    for (int i = busy_count - 1; i >= 0; i--)
        if (busy[i]->due_ns <= now) pay(busy[i]);
    for (int i = 0; i < busy_count; i++)
        if (!next || busy[i]->due_ns < next) next = busy[i]->due_ns;
    struct itimerspec at = {.it_value = {next / 1000000000, next % 1000000000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: upstream PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    plain_size = (size_t)snprintf(
        plain, sizeof plain,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req_bench\r\nContent-Length: %zu\r\n\r\n%s",
        sizeof ANSWER - 1, ANSWER);
    chunk_size = (size_t)snprintf(chunk, sizeof chunk, "%zx\r\n%s\r\n", sizeof EVENT - 1, EVENT);
    last_chunk_size = (size_t)snprintf(last_chunk, sizeof last_chunk, "%zx\r\n%s\r\n0\r\n\r\n",
                                       sizeof LAST_EVENTS - 1, LAST_EVENTS);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (listener < 0) fail("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in place = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(arguments[1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&place, sizeof place) < 0) fail("bind");
    if (listen(listener, 1024) < 0) fail("listen");

    poller = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0) fail("epoll_ctl");
    event.data.fd = timer;
    if (epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event) < 0) fail("epoll_ctl");

    struct epoll_event events[EVENTS];
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                welcome(listener);
            } else if (fd == timer) {
                uint64_t expirations;
                if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN) fail("read");
            } else if (connections[fd]) {
                receive(connections[fd]);
            }
        }
        if (busy_count) pay_all();
    }
}
