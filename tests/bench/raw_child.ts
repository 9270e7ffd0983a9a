/** A WebSocket server that passes on what comes in at /send to all others; prints its address. */

const readers = new Set<WebSocket>();
const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request);
  if (new URL(request.url).pathname === "/send") {
    socket.onmessage = ({ data }) => readers.forEach((reader) => reader.send(data));
  } else {
    socket.onopen = () => {
      readers.add(socket);
      // Its end may be open before this one: who is not in yet would miss what is passed on.
      socket.send("in");
    };
    socket.onclose = () => readers.delete(socket);
  }
  return response;
});
console.log(`ws://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`);
