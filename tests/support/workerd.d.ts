declare module "workerd" {
  /** Path of the runtime's executable. */
  const path: string;
  export default path;
}
